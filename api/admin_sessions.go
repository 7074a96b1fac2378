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
	Node     string      `json:"node"` // "": none has it; of a stored one the node that had it, and has died
	State    string      `json:"state" enums:"connecting,online,reconnecting,suspended,closed,stored"`
	Reason   string      `json:"reason"`           // why it is not online; "" when it is
	Cause    perch.Cause `json:"cause,omitempty"`  // why its last login failed
	Detail   string      `json:"detail,omitempty"` // the same as a sentence
	Since    perch.Time  `json:"since"`
	RetryAt  perch.Time  `json:"retry_at"`
	Streams  int         `json:"streams"` // open event streams
	Rooms    int         `json:"rooms"`
	Outbox   int         `json:"outbox"`    // accepted messages that are not yet known to be with the server
	HeldBack bool        `json:"held_back"` // the store takes no writes of it
	// When the store drops a session that is only stored; null: a node has it.
	ExpiresAt perch.Time `json:"expires_at"`
} // @name AdminSession

// stateStored is that of a session which no node has: it is idle, or its node has died. Its client's next
// request opens it, and a node does at once where credentials are stored.
const stateStored = "stored"

// adminSessions is a page of them, sorted by id.
type adminSessions struct {
	Items       []adminSession    `json:"items"`
	Next        *string           `json:"next"`
	Unreachable []UnreachableNode `json:"unreachable"` // nodes whose sessions are missing
} // @name AdminSessions

func (a *API) adminSession(o sessions.Overview) adminSession {
	return adminSession{
		ID: string(o.ID), JID: o.JID, Upstream: o.Upstream, Node: a.self(),
		State: string(o.State), Reason: o.Reason, Cause: o.Cause, Detail: o.Detail, Since: o.Since, RetryAt: o.RetryAt,
		Streams: o.Streams, Rooms: o.Rooms, Outbox: o.Outbox, HeldBack: o.HeldBack,
	}
}

// storedSession is one that is only stored, as the list shows it.
func storedSession(s sessions.StoredSession) adminSession {
	return adminSession{
		ID: string(s.ID), JID: s.JID.Bare(), Upstream: s.Upstream, Node: string(s.Owner), State: stateStored,
		Since: s.OfflineSince, Outbox: s.Outbox, Rooms: s.Rooms, ExpiresAt: s.Ends,
	}
}

// handleAdminSessions lists the sessions of all nodes, and those that are only stored.
//
//	@ID				listSessions
//	@Summary		Sessions of all nodes, and those that are only stored
//	@Description	Each node is asked for its part of the page. One that does not answer is named in unreachable; its sessions are missing then. A session that no node has, because it is idle or its node has died, has the state stored; what is known of it is what the store has, as it was some seconds ago.
//	@Tags			admin
//	@Produce		json
//	@Param			jid			query		string	false	"bare JID of the account"
//	@Param			upstream	query		string	false	"name of the upstream"
//	@Param			state		query		string	false	"state of the connection; stored: no node has the session"	Enums(connecting, online, reconnecting, suspended, closed, stored)
//	@Param			node		query		string	false	"name or id of a node; none of those that are only stored"
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
	if name := q.Get("node"); q.Has("node") && !nodeNamed(a.self(), name) {
		to, ok := a.peer(name)
		if !ok {
			return errNoNode("?node", name)
		}
		return a.passOn(w, r, to, peerQuestion{method: http.MethodGet, path: adminRoot + "sessions", query: q})
	}
	page := adminSessions{Items: []adminSession{}, Unreachable: []UnreachableNode{}}
	more := false
	if f.State != stateStored {
		if more, err = a.listLive(r, q, f, p.limit, &page); err != nil {
			return err
		}
	}
	if (f.State == "" || f.State == stateStored) && !q.Has("node") && !trusted(r.Context()) {
		stored, over, err := a.o.Sessions.ListStored(r.Context(), f, p.limit)
		if err != nil {
			return err
		}
		for _, s := range stored {
			page.Items = append(page.Items, storedSession(s))
		}
		more = more || over
	}
	page.cut(p.limit, more)
	return writeJSON(w, http.StatusOK, page)
}

// listLive adds the sessions of this node, and of the others unless one was named.
func (a *API) listLive(r *http.Request, q url.Values, f sessions.Filter, limit int, page *adminSessions) (more bool, err error) {
	here, more, err := a.o.Sessions.List(r.Context(), f, limit)
	if err != nil {
		return false, err
	}
	for _, o := range here {
		page.Items = append(page.Items, a.adminSession(o))
	}
	if !q.Has("node") {
		page.Unreachable = gather(a, r, peerQuestion{method: http.MethodGet, path: adminRoot + "sessions", query: q}, func(o adminSessions) {
			page.Items, more = append(page.Items, o.Items...), more || o.Next != nil
		})
	}
	return more, nil
}

// cut makes one page of those of all nodes. A session that moves meanwhile may be on two of them, or on
// one and stored.
func (s *adminSessions) cut(limit int, more bool) {
	slices.SortFunc(s.Items, func(x, y adminSession) int {
		return cmp.Or(cmp.Compare(x.ID, y.ID), cmp.Compare(x.rank(), y.rank()), cmp.Compare(y.Since, x.Since))
	})
	s.Items = slices.CompactFunc(s.Items, func(x, y adminSession) bool { return x.ID == y.ID })
	if len(s.Items) > limit {
		s.Items, more = s.Items[:limit], true
	}
	if more && len(s.Items) > 0 {
		next := makeCursor(s.Items[len(s.Items)-1].ID)
		s.Next = &next
	}
}

// rank has what a node says of a session before what is stored of it.
func (s adminSession) rank() int {
	if s.State == stateStored {
		return 1
	}
	return 0
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
	for name, what := range map[string]string{"node": "the name or id of a node", "upstream": "the name of an upstream"} {
		if q.Has(name) && q.Get(name) == "" {
			return f, p, perch.Invalid("?"+name, "must be %s; leave it out for all", what)
		}
	}
	if q.Has("state") && !slices.Contains(sessionStates, f.State) {
		return f, p, perch.Invalid("?state", "must be connecting, online, reconnecting, suspended, closed or stored")
	}
	if q.Has("id") {
		f.Prefix, err = sessionPrefix("?id", q.Get("id"), 1)
	}
	return f, p, err
}

var sessionStates = []perch.State{perch.StateConnecting, perch.StateOnline, perch.StateReconnecting, perch.StateSuspended, perch.StateClosed, stateStored}

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
