package api

import (
	"net/http"
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
	Kind string `json:"kind"` // perch: of a sign-in; credential: the access token or password of the account
} // @name AdminToken

// handleAdminSession shows one session, of whatever node.
//
//	@ID				getAdminSession
//	@Summary		One session
//	@Description	The id may be cut short to its first eight characters, as log lines have it.
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
	s, err := a.sessionHere(w, r)
	if s == nil {
		return err
	}
	x, err := a.o.Sessions.Inspect(r.Context(), s)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, a.detail(x))
}

func (a *API) detail(x sessions.Inspection) adminSessionDetail {
	d := adminSessionDetail{
		adminSession: a.adminSession(x.Overview), Resource: x.Resource, Delivery: x.Delivery, Features: x.Features,
		LastStanzaAt: x.LastStanzaAt, PingRTT: x.PingRTT, OpenStreams: []adminStream{}, Tokens: []adminToken{},
		Log: adminLog{Epoch: x.Epoch, First: x.First, Last: x.Tip},
	}
	for _, st := range a.streams.of(x.ID) {
		d.OpenStreams = append(d.OpenStreams, adminStream{Transport: st.transport, Since: perch.At(st.since)})
	}
	for _, t := range x.Tokens {
		kind := "credential"
		if t.Minted {
			kind = "perch"
		}
		d.Tokens = append(d.Tokens, adminToken{ID: t.ID, Kind: kind})
	}
	return d
}

// sessionHere finds the session of the path on this node. When another node has it, the request was
// passed on and answered there, and both results are nil.
func (a *API) sessionHere(w http.ResponseWriter, r *http.Request) (*sessions.Session, error) {
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
	}
	if trusted(r.Context()) || err == nil && len(prefix) == len(s.ID()) {
		return s, err
	}
	return a.sessionAnywhere(w, r, prefix)
}

// sessionAnywhere asks all nodes for the session whose id begins with a text.
func (a *API) sessionAnywhere(w http.ResponseWriter, r *http.Request, prefix sessions.ID) (*sessions.Session, error) {
	here, more, err := a.o.Sessions.List(r.Context(), sessions.Filter{Prefix: prefix}, 2)
	if err != nil {
		return nil, err
	}
	var found []adminSession
	for _, o := range here {
		found = append(found, a.adminSession(o))
	}
	query := map[string][]string{"id": {string(prefix)}, "limit": {"2"}}
	lost := gather(a, r, peerQuestion{method: http.MethodGet, path: adminRoot + "sessions", query: query}, func(o adminSessions) {
		found, more = append(found, o.Items...), more || o.Next != nil
	})
	switch {
	case len(found) == 0 && len(lost) > 0:
		return nil, perch.Errorf(perch.KindSessionOffline, "no node that answers has this session, and these do not answer: %s", nodesIn(lost))
	case len(found) == 0:
		return nil, perch.Errorf(perch.KindNotFound, "no node has a session whose id begins with %s; one that was evicted, or whose node has ended, comes back with its client's next request", prefix)
	case len(found) > 1 || more:
		return nil, perch.Errorf(perch.KindConflict, "several sessions have an id that begins with %s: give more of it", prefix)
	}
	if id := sessions.ID(found[0].ID); found[0].Node == a.self() {
		return a.o.Sessions.Find(id)
	}
	owner, ok := a.peer(found[0].Node)
	if !ok {
		return nil, perch.Errorf(perch.KindSessionOffline, "the node of this session has just ended: try again")
	}
	path := adminRoot + "sessions/" + found[0].ID + strings.TrimPrefix(r.URL.Path, adminRoot+"sessions/"+string(prefix))
	return nil, a.passOn(w, r, owner, peerQuestion{method: r.Method, path: path})
}

func nodesIn(lost []UnreachableNode) string {
	names := make([]string, len(lost))
	for i, n := range lost {
		names[i] = n.Node
	}
	return strings.Join(names, ", ")
}
