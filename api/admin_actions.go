package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// The audit lines of what operators do.
const (
	auditReconnected = "session reconnected by an operator"
	auditEvicted     = "session evicted by an operator"
	auditEnded       = "session signed out by an operator"
	auditDrained     = "drain begun by an operator"
	auditResumed     = "drain ended by an operator"
	auditLevel       = "log level changed by an operator"
)

// act finds the session of the path and does something with it on its node, which writes the line.
func (a *API) act(w http.ResponseWriter, r *http.Request, line string, do func(*sessions.Session) error, doStored func(sessions.ID) error) error {
	s, err := a.sessionHere(w, r)
	if err != nil || s == nil {
		return err
	}
	var id sessions.ID
	if s.stored != nil {
		id = s.stored.ID
		err = doStored(id)
	} else {
		id = s.live.ID()
		err = do(s.live)
	}
	if err != nil {
		return err
	}
	a.audit(r, line, id)
	return done(w, nil)
}

// onlyStored refuses what needs a node that has the session.
func onlyStored(sessions.ID) error {
	return perch.Errorf(perch.KindConflict, "no node has this session: it is only stored, and its client's next request opens it; to end it, sign it out")
}

// signOutStored ends a session that no node has.
func (a *API) signOutStored(r *http.Request, id sessions.ID) error {
	err := a.o.Sessions.SignOutStored(r.Context(), id)
	if errors.As(err, new(*sessions.NotOwnerError)) {
		return &perch.Error{Kind: perch.KindSessionOffline, Err: err, RetryAfter: time.Second, Detail: "a node has opened this session just now: try again"}
	}
	return err
}

// handleAdminReconnect drops the connection of a session, or tries to get one.
//
//	@ID				reconnectSession
//	@Summary		Reconnect a session
//	@Description	The connection to the XMPP server is dropped and made anew; the server resumes the stream if it can. A session without a connection tries at once, also one that is suspended.
//	@Tags			admin
//	@Param			id	path	string	true	"id of the session, or its beginning"
//	@Success		204
//	@Failure		404	{object}	Problem
//	@Failure		409	{object}	Problem	"it is only stored, or several sessions have an id that begins so"
//	@Failure		503	{object}	Problem	"no node that answers has it, and some do not answer"
//	@Router			/admin/v1/sessions/{id}/reconnect [post]
//	@Security		AdminToken
func (a *API) handleAdminReconnect(w http.ResponseWriter, r *http.Request) error {
	return a.act(w, r, auditReconnected, func(s *sessions.Session) error {
		a.o.Sessions.Renew(s)
		return nil
	}, onlyStored)
}

// handleAdminEvict ends a session on its node, and loses nothing.
//
//	@ID				evictSession
//	@Summary		Evict a session from its node
//	@Description	The session leaves its node as it does when that is drained: what was accepted is written, and another node resumes the stream, at once if credentials are stored, else with the next request of the client. Its event streams are told to reconnect, and continue from their cursor.
//	@Tags			admin
//	@Param			id	path	string	true	"id of the session, or its beginning"
//	@Success		204
//	@Failure		404	{object}	Problem
//	@Failure		409	{object}	Problem	"it could not sign in again, is only stored, or several sessions have an id that begins so"
//	@Failure		503	{object}	Problem	"no node that answers has it, and some do not answer"
//	@Router			/admin/v1/sessions/{id}/evict [post]
//	@Security		AdminToken
func (a *API) handleAdminEvict(w http.ResponseWriter, r *http.Request) error {
	return a.act(w, r, auditEvicted, func(s *sessions.Session) error { return a.o.Sessions.Evict(r.Context(), s) }, onlyStored)
}

// handleAdminSignOut ends a session for good.
//
//	@ID				signOutSession
//	@Summary		Sign a session out
//	@Description	Ends the XMPP session and drops its log, its caches and all its tokens, as DELETE /v1/session does. One that is only stored is ended without a connection: what the XMPP server keeps of its last stream ends there by itself.
//	@Tags			admin
//	@Param			id	path	string	true	"id of the session, or its beginning"
//	@Success		204
//	@Failure		404	{object}	Problem
//	@Failure		409	{object}	Problem	"several sessions have an id that begins so"
//	@Failure		503	{object}	Problem	"no node that answers has it, and some do not answer; or the store cannot be written to"
//	@Router			/admin/v1/sessions/{id}/sign-out [post]
//	@Security		AdminToken
func (a *API) handleAdminSignOut(w http.ResponseWriter, r *http.Request) error {
	return a.act(w, r, auditEnded, func(s *sessions.Session) error { return a.o.Sessions.SignOut(r.Context(), s) },
		func(id sessions.ID) error { return a.signOutStored(r, id) })
}
