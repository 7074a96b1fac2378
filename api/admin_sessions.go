package api

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// adminSession is a session as the list of an operator shows it.
type adminSession struct {
	ID       string      `json:"id"`  // log lines have its first eight characters
	JID      perch.JID   `json:"jid"` // bare; "" until it is known
	Upstream string      `json:"upstream"`
	Node     string      `json:"node"`
	State    perch.State `json:"state"`
	Reason   string      `json:"reason"`           // why it is not online; "" when it is
	Cause    perch.Cause `json:"cause,omitempty"`  // why its last login failed
	Detail   string      `json:"detail,omitempty"` // the same as a sentence
	Since    perch.Time  `json:"since"`
	RetryAt  perch.Time  `json:"retry_at"`
	Streams  int         `json:"streams"` // open event streams
	Rooms    int         `json:"rooms"`
	Outbox   int         `json:"outbox"`    // accepted messages that are not yet known to be with the server
	HeldBack bool        `json:"held_back"` // the store takes no writes of it
} // @name AdminSession

// adminSessions is a page of them, sorted by id.
type adminSessions struct {
	Items       []adminSession    `json:"items"`
	Next        *string           `json:"next"`
	Unreachable []UnreachableNode `json:"unreachable"` // nodes whose sessions are missing
} // @name AdminSessions

func (a *API) adminSession(o sessions.Overview) adminSession {
	return adminSession{
		ID: string(o.ID), JID: o.JID, Upstream: o.Upstream, Node: a.self(),
		State: o.State, Reason: o.Reason, Cause: o.Cause, Detail: o.Detail, Since: o.Since, RetryAt: o.RetryAt,
		Streams: o.Streams, Rooms: o.Rooms, Outbox: o.Outbox, HeldBack: o.HeldBack,
	}
}

// handleAdminSessions lists the sessions of all nodes.
//
//	@ID				listSessions
//	@Summary		Sessions of all nodes
//	@Description	Each node is asked for its part of the page. One that does not answer is named in unreachable; its sessions are missing then.
//	@Tags			admin
//	@Produce		json
//	@Param			jid			query		string	false	"bare JID of the account"
//	@Param			upstream	query		string	false	"name of the upstream"
//	@Param			state		query		string	false	"state of the connection"	Enums(connecting, online, reconnecting, suspended, closed)
//	@Param			node		query		string	false	"name or id of a node"
//	@Param			id			query		string	false	"beginning of the id, as log lines have it"
//	@Param			limit		query		int		false	"items a page"
//	@Param			cursor		query		string	false	"next of the page before"
//	@Success		200			{object}	adminSessions
//	@Router			/admin/v1/sessions [get]
//	@Security		AdminToken
func (a *API) handleAdminSessions(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "jid", "upstream", "state", "node", "id", "limit", "cursor")
	if err != nil {
		return err
	}
	f, p, err := sessionFilter(q)
	if err != nil {
		return err
	}
	if name := q.Get("node"); name != "" && !nodeNamed(a.self(), name) {
		to, ok := a.peer(name)
		if !ok {
			return errNoNode("?node", name)
		}
		return a.passOn(w, r, to, peerQuestion{method: http.MethodGet, path: adminRoot + "sessions", query: q})
	}
	here, more, err := a.o.Sessions.List(r.Context(), f, p.limit)
	if err != nil {
		return err
	}
	page := adminSessions{Items: make([]adminSession, 0, len(here)), Unreachable: []UnreachableNode{}}
	for _, o := range here {
		page.Items = append(page.Items, a.adminSession(o))
	}
	if !q.Has("node") {
		page.Unreachable = gather(a, r, peerQuestion{method: http.MethodGet, path: adminRoot + "sessions", query: q}, func(o adminSessions) {
			page.Items, more = append(page.Items, o.Items...), more || o.Next != nil
		})
	}
	page.cut(p.limit, more)
	return writeJSON(w, http.StatusOK, page)
}

// cut makes one page of those of all nodes. A session that moves meanwhile may be on two of them.
func (s *adminSessions) cut(limit int, more bool) {
	slices.SortFunc(s.Items, func(x, y adminSession) int { return cmp.Or(cmp.Compare(x.ID, y.ID), cmp.Compare(y.Since, x.Since)) })
	s.Items = slices.CompactFunc(s.Items, func(x, y adminSession) bool { return x.ID == y.ID })
	if len(s.Items) > limit {
		s.Items, more = s.Items[:limit], true
	}
	if more && len(s.Items) > 0 {
		next := makeCursor(s.Items[len(s.Items)-1].ID)
		s.Next = &next
	}
}

// sessionFilter reads the query of a list.
func sessionFilter(q url.Values) (f sessions.Filter, p page, err error) {
	if p, err = pageOf(q); err != nil {
		return f, p, err
	}
	f = sessions.Filter{Upstream: q.Get("upstream"), State: perch.State(q.Get("state")), After: sessions.ID(p.after)}
	if q.Has("jid") {
		if f.JID, err = accountOf(nil, "?jid", q.Get("jid")); err != nil {
			return f, p, err
		}
	}
	if q.Has("state") && !slices.Contains(sessionStates, f.State) {
		return f, p, perch.Invalid("?state", "must be connecting, online, reconnecting, suspended or closed")
	}
	if q.Has("id") {
		f.Prefix, err = sessionPrefix("?id", q.Get("id"), 1)
	}
	return f, p, err
}

var sessionStates = []perch.State{perch.StateConnecting, perch.StateOnline, perch.StateReconnecting, perch.StateSuspended, perch.StateClosed}

// sessionPrefix reads the beginning of the id of a session.
func sessionPrefix(pointer, text string, least int) (sessions.ID, error) {
	for _, c := range []byte(text) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", perch.Invalid(pointer, "must be the id of a session, or its beginning as log lines have it: digits and a to f")
		}
	}
	if len(text) < least || len(text) > 32 {
		return "", perch.Invalid(pointer, "must have %s to 32 characters of the id of a session", strconv.Itoa(least))
	}
	return sessions.ID(text), nil
}
