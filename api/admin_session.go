package api

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// adminSessionDetail is one session as an operator sees it.
type adminSessionDetail struct {
	adminSession
	Resource     string        `json:"resource"`
	Delivery     string        `json:"delivery"` // A, B, C or D; "" until the first login
	Features     []string      `json:"features"`
	LastStanzaAt perch.Time    `json:"last_stanza_at"`
	PingRTT      *int64        `json:"ping_rtt_ms"` // null: not measured yet
	OpenStreams  []adminStream `json:"open_streams"`
	Log          adminLog      `json:"log"`
	Tokens       []adminToken  `json:"tokens"`
} // @name AdminSessionDetail

// adminStream is an open event stream.
type adminStream struct {
	Transport string     `json:"transport"`
	Since     perch.Time `json:"since"`
} // @name AdminStream

// adminLog says which events the log of a session has.
type adminLog struct {
	Epoch string `json:"epoch"`
	First uint64 `json:"first"` // offset of the oldest event; last + 1 when there is none
	Last  uint64 `json:"last"`
} // @name AdminLog

// adminToken is a token that leads to a session. ID is of its keyed hash: the token cannot be told
// from it.
type adminToken struct {
	ID   string `json:"id"`
	Kind string `json:"kind"` // perch: of this gateway; credential: the access token or password of the account
	// Of a token that was made with POST /v1/tokens: what its client calls it, and what it may do.
	Name      string        `json:"name,omitempty"`
	Scopes    []perch.Scope `json:"scopes,omitempty"`
	ExpiresAt perch.Time    `json:"expires_at,omitzero"`
} // @name AdminToken

// handleAdminSession shows one session, of whatever node.
//
//	@ID				getAdminSession
//	@Summary		One session
//	@Description	The id may be cut short to its first eight characters, as log lines have it. Of one that is only stored there are neither streams nor features.
//	@Tags			admin
//	@Produce		json
//	@Param			id	path		string	true	"id of the session, or its beginning"
//	@Success		200	{object}	adminSessionDetail
//	@Failure		404	{object}	Problem
//	@Failure		409	{object}	Problem	"several sessions have an id that begins so"
//	@Failure		503	{object}	Problem	"no node that answers has it, and some do not answer"
//	@Router			/admin/v1/sessions/{id} [get]
//	@Security		AdminToken
func (a *API) handleAdminSession(w http.ResponseWriter, r *http.Request) error {
	found, err := a.sessionHere(w, r)
	switch {
	case err != nil || found == nil:
		return err
	case found.stored != nil:
		d, err := a.storedDetail(r, *found.stored)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, d)
	}
	x, err := a.o.Sessions.Inspect(r.Context(), found.live)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, a.detail(x))
}

// storedDetail is one that is only stored, with what its last connection has left.
func (a *API) storedDetail(r *http.Request, s sessions.StoredSession) (d adminSessionDetail, err error) {
	d = adminSessionDetail{
		adminSession: storedSession(s), Resource: s.JID.Resource(), Features: []string{}, OpenStreams: []adminStream{},
		Log: adminLog{Epoch: s.Epoch, First: s.First, Last: s.Tip},
	}
	tokens, err := a.o.Sessions.TokensOfStored(r.Context(), s.ID)
	d.Tokens = adminTokens(tokens)
	return d, err
}

func adminTokens(tokens []sessions.TokenInfo) []adminToken {
	list := make([]adminToken, len(tokens))
	for i, t := range tokens {
		list[i] = adminToken{ID: t.ID, Kind: "credential", Name: t.Name, Scopes: t.Grant.Scopes, ExpiresAt: t.Grant.Expires}
		if t.Minted {
			list[i].Kind = "perch"
		}
	}
	return list
}

func (a *API) detail(x sessions.Inspection) adminSessionDetail {
	d := adminSessionDetail{
		adminSession: a.adminSession(x.Overview), Resource: x.Resource, Delivery: x.Delivery, Features: x.Features,
		LastStanzaAt: x.LastStanzaAt, PingRTT: x.PingRTT, OpenStreams: []adminStream{}, Tokens: adminTokens(x.Tokens),
		Log: adminLog{Epoch: x.Epoch, First: x.First, Last: x.Tip},
	}
	for _, st := range a.streams.of(x.ID) {
		d.OpenStreams = append(d.OpenStreams, adminStream{Transport: st.transport, Since: perch.At(st.since)})
	}
	return d
}

// adminTarget is the session of a path: live on this node, or only stored.
type adminTarget struct {
	live   *sessions.Session
	stored *sessions.StoredSession
}

// sessionHere finds the session of the path on this node, or in the store when no node has it. When
// another node has it, the request was passed on and answered there, and both results are nil.
func (a *API) sessionHere(w http.ResponseWriter, r *http.Request) (*adminTarget, error) {
	if _, err := queryOf(r); err != nil {
		return nil, err
	}
	text, err := pathText(r, "id")
	if err != nil {
		return nil, err
	}
	prefix, err := sessionPrefix("{id}", text, 8)
	if err != nil {
		return nil, err
	}
	s, err := a.o.Sessions.Find(prefix)
	if err == nil {
		noteSession(r, s.ID())
		if trusted(r.Context()) || len(prefix) == len(s.ID()) {
			return &adminTarget{live: s}, nil
		}
	} else if trusted(r.Context()) {
		return nil, err
	}
	return a.sessionAnywhere(w, r, prefix)
}

// sessionAnywhere asks all nodes, and the store, for the session whose id begins with a text.
func (a *API) sessionAnywhere(w http.ResponseWriter, r *http.Request, prefix sessions.ID) (*adminTarget, error) {
	f := sessions.Filter{Prefix: prefix}
	query := url.Values{"id": {string(prefix)}, "limit": {"2"}}
	var found adminSessions
	more, err := a.listLive(r, query, f, 2, &found)
	if err != nil {
		return nil, err
	}
	stored, over, err := a.o.Sessions.ListStored(r.Context(), f, 2)
	if err != nil {
		return nil, err
	}
	for _, s := range stored {
		found.Items = append(found.Items, storedSession(s))
	}
	found.cut(2, more || over)
	switch {
	case len(found.Items) == 0 && len(found.Unreachable) > 0:
		return nil, perch.Errorf(perch.KindSessionOffline, "no node that answers has this session, and these are missing: %s", nodesIn(found.Unreachable))
	case len(found.Items) == 0:
		return nil, perch.Errorf(perch.KindNotFound, "no node has a session whose id begins with %s, and none is stored", prefix)
	case len(found.Items) > 1 || found.Next != nil:
		return nil, perch.Errorf(perch.KindConflict, "several sessions have an id that begins with %s: give more of it", prefix)
	}
	s := found.Items[0]
	for i := range stored {
		if s.State == stateStored && string(stored[i].ID) == s.ID {
			noteSession(r, stored[i].ID)
			return &adminTarget{stored: &stored[i]}, nil
		}
	}
	if s.Node == a.self() {
		live, err := a.o.Sessions.Find(sessions.ID(s.ID))
		return &adminTarget{live: live}, err
	}
	owner, ok := a.peer(s.Node)
	if !ok {
		return nil, perch.Errorf(perch.KindSessionOffline, "the node of this session has just ended: try again")
	}
	path := adminRoot + "sessions/" + s.ID + strings.TrimPrefix(r.URL.Path, adminRoot+"sessions/"+string(prefix))
	return nil, a.passOn(w, r, owner, peerQuestion{method: r.Method, path: path})
}

func nodesIn(lost []UnreachableNode) string {
	names := make([]string, len(lost))
	for i, n := range lost {
		names[i] = n.Node + " (" + n.Detail + ")"
	}
	return strings.Join(names, ", ")
}
