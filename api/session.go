package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"unicode"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// signInRequest is the body of POST /v1/session: exactly one of Password and Token, or neither, and Rooms and
// Upstream alone, for the session of the access token in the header.
type signInRequest struct {
	JID      string `json:"jid" example:"alice@example.net"`
	Password string `json:"password"`
	Token    string `json:"token"`
	// Mechanism is the SASL mechanism to sign in with, and no other; left out, it is the best one that server
	// and upstream have, and never less than the account's last login used.
	Mechanism string `json:"mechanism" example:"SCRAM-SHA-256"`
	// Upstream is the name of the upstream to sign in at. Left out, it is the one whose prefix the token begins
	// with, or else the one that serves the domain of the JID, or else the default one.
	Upstream string `json:"upstream" example:"default"`
	// Resource is that of the JID on the XMPP server, and part of what a session is known by: a sign-in with the
	// same account, credential and resource shares its session, and one with another resource has its own.
	Resource string `json:"resource" example:"phone"`
	// Rooms is "autojoin": the rooms of the account's bookmarks are joined from now on; null: no more.
	// Left out, it stays as it was.
	Rooms json.RawMessage `json:"rooms" swaggertype:"string" enums:"autojoin"`
} // @name SignInRequest

func (req signInRequest) isZero() bool { return reflect.ValueOf(req).IsZero() }

// setRooms says which rooms the session joins by itself.
func (req signInRequest) setRooms(ctx context.Context, s *sessions.Session) error {
	if req.Rooms == nil {
		return nil
	}
	mode, err := req.roomsMode()
	if err != nil {
		return err
	}
	return sessions.RoomsOf(s).SetMode(ctx, mode)
}

func (req signInRequest) roomsMode() (string, error) {
	var mode *string
	switch err := json.Unmarshal(req.Rooms, &mode); {
	case err == nil && mode == nil:
		return sessions.RoomsManual, nil
	case err == nil && *mode == sessions.RoomsAutoJoin:
		return sessions.RoomsAutoJoin, nil
	}
	return "", perch.Invalid("/rooms", "must be autojoin or null")
}

// signInAnswer has the Perch token, which no other answer has.
type signInAnswer struct {
	Token string `json:"token,omitempty"`
	// Shared is true when the session was there already: others, who have signed in with the same account,
	// credential and resource, have it too. Another resource has a session of its own.
	Shared  bool              `json:"shared,omitempty"`
	Session perch.SessionInfo `json:"session"`
} // @name SignInAnswer

// credentialsRequest is the body of PUT /v1/session/credentials: exactly one field.
type credentialsRequest struct {
	Token    string `json:"token"`
	Password string `json:"password"`
} // @name CredentialsRequest

// handleSessionShow answers with the session, in any state.
//
//	@ID			getSession
//	@Summary	State of the session
//	@Tags		session
//	@Produce	json
//	@Success	200	{object}	perch.SessionInfo
//	@Failure	401	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Failure	429	{object}	Problem
//	@Failure	504	{object}	Problem
//	@Router		/v1/session [get]
//	@Security	BearerAuth
func (a *API) handleSessionShow(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	info, err := sessionFrom(r.Context()).Current()
	if err == nil {
		writeAppended(w, http.StatusOK, info)
	}
	return err
}

// handleSessionOpen signs in. With a body it mints a Perch token for an account; without
// one it opens the session of the upstream access token in the Authorization header.
//
//	@ID				openSession
//	@Summary		Sign in
//	@Description	With a body: sign in with a JID and a password or token, and get a Perch token, which is shown only once. Without a body, or with rooms and upstream alone: open the session of the access token in the Authorization header and wait for it. rooms: autojoin has the session join the rooms of the account's bookmarks (XEP-0402, XEP-0048), and follow them.
//	@Tags			session
//	@Accept			json
//	@Produce		json
//	@Param			body	body		signInRequest	false	"account and credential"
//	@Success		200		{object}	signInAnswer	"the session was there already"
//	@Success		201		{object}	signInAnswer
//	@Header			201		{string}	Location	"/v1/session"
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		413		{object}	Problem
//	@Failure		415		{object}	Problem
//	@Failure		422		{object}	Problem
//	@Failure		429		{object}	Problem
//	@Failure		501		{object}	Problem	"rooms, on an upstream that has none"
//	@Failure		502		{object}	Problem
//	@Failure		503		{object}	Problem
//	@Failure		504		{object}	Problem
//	@Router			/v1/session [post]
//	@Security		BearerAuth
func (a *API) handleSessionOpen(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	if err := bufferBody(r); err != nil { // it may have to be forwarded to a peer
		return err
	}
	var req signInRequest
	present, err := decodeOptional(r, &req)
	if err != nil {
		return err
	}
	if req.Rooms != nil {
		if _, err := req.roomsMode(); err != nil {
			return err
		}
	}
	if r, err = req.atUpstream(r); err != nil {
		return err
	}
	if !present || req.ofBearer(r) {
		a.openByToken(w, r, req)
		return nil
	}
	var answer signInAnswer
	var created bool
	_, err = a.locate(w, r, sessionLookup{token: perch.NewSecret(req.Token), find: func() (s *sessions.Session, err error) {
		s, answer, created, err = a.signIn(r, req)
		return s, err
	}})
	switch {
	case errors.Is(err, errForwarded):
		return nil
	case err != nil:
		return err
	}
	return writeSession(w, answer, created)
}

// openByToken answers with the session of the access token in the header, once it is open. Of two
// requests at once, both may get 201.
func (a *API) openByToken(w http.ResponseWriter, r *http.Request, req signInRequest) {
	token, ok, _ := bearerOf(r)
	created := ok && a.o.Sessions.Live(r.Context(), token) == nil
	a.withSession(a.wrap(func(w http.ResponseWriter, r *http.Request) error {
		if by := accessFrom(r.Context()); req.Rooms != nil && (!by.Grant.Allows(inRooms...) || by.Grant.Conversations != nil) {
			return lacks(inRooms, "which rooms the session joins by itself needs the scope rooms, and no limit on conversations")
		}
		if err := req.setRooms(r.Context(), sessionFrom(r.Context())); err != nil {
			return err
		}
		info, err := sessionFrom(r.Context()).Current()
		if err != nil {
			return err
		}
		return writeSession(w, signInAnswer{Session: info}, created)
	})).ServeHTTP(w, r)
}

func writeSession(w http.ResponseWriter, answer signInAnswer, created bool) error {
	status := http.StatusOK
	if created {
		status = http.StatusCreated
		w.Header().Set("Location", "/v1/session")
	}
	return writeJSON(w, status, answer)
}

// signIn opens the session of an account. Refused credentials of one client address are
// limited just like refused tokens, and so are those of one account.
func (a *API) signIn(r *http.Request, req signInRequest) (*sessions.Session, signInAnswer, bool, error) {
	acc, err := req.account()
	if err != nil {
		return nil, signInAnswer{}, false, err
	}
	account, upstream := "", a.o.Sessions.UpstreamFor(acc)
	if acc.JID != "" {
		account = a.o.Sessions.AccountKey(upstream, acc.JID)
	}
	g, err := a.reserveAttempts(r, upstream, account)
	if err != nil {
		return nil, signInAnswer{}, false, err
	}
	token, s, created, err := a.o.Sessions.SignIn(fromAddress(r), acc, func(s *sessions.Session, created bool) error {
		a.audit(r, auditSignedIn, s.ID(), slog.String("credential", req.kindOfCredential()), slog.Bool("created", created), auditAccount(account))
		return req.setRooms(r.Context(), s)
	})
	g.conclude(r.Context(), err)
	if err != nil {
		a.auditRefusal(r, req.kindOfCredential(), account, err)
		return nil, signInAnswer{}, false, err
	}
	a.accepted.add(token)
	a.audit(r, auditMinted, s.ID(), auditAccount(account))
	info, err := s.Current()
	return s, signInAnswer{Token: token.Reveal(), Shared: !created, Session: info}, created, err
}

// kindOfCredential is what the audit lines call it.
func (req signInRequest) kindOfCredential() string {
	if req.Password != "" {
		return "password"
	}
	return "token"
}

func (req signInRequest) account() (perch.Account, error) {
	acc := perch.Account{Upstream: req.Upstream, Mechanism: req.Mechanism, Resource: req.Resource}
	var err error
	if acc.Password, acc.Token, err = oneSecret(req.Password, req.Token); err != nil {
		return acc, err
	}
	if req.JID != "" {
		if acc.JID, err = accountOf(nil, "/jid", req.JID); err != nil {
			return acc, err
		}
	}
	if req.Resource != "" {
		// As part of a JID, so that the rules of RFC 7622 for a resource are applied.
		if _, err := perch.ParseJID("example.net/" + req.Resource); err != nil {
			return acc, perch.Invalid("/resource", "is not a valid resource of a JID")
		}
	}
	if err := oneLine("/mechanism", req.Mechanism, 64); err != nil {
		return acc, err
	}
	return acc, nil
}

// maxSecretBytes bounds a password or token in a body, as maxTokenBytes does in the header.
const maxSecretBytes = maxTokenBytes

// oneSecret checks a password and a token, of which exactly one must be given.
func oneSecret(password, token string) (pw, tok perch.Secret, err error) {
	switch {
	case (password == "") == (token == ""):
		return pw, tok, &perch.Error{Kind: perch.KindValidation, Detail: "exactly one of password and token is needed",
			Fields: []perch.FieldError{{Pointer: "/password", Detail: "this, or token"}, {Pointer: "/token", Detail: "this, or password"}}}
	case len(password) > maxSecretBytes:
		return pw, tok, perch.Invalid("/password", "must have at most %d bytes", maxSecretBytes)
	case strings.ContainsFunc(password, unicode.IsControl):
		return pw, tok, perch.Invalid("/password", "must not have control characters")
	case token != "" && !isBearerToken(token):
		return pw, tok, perch.Invalid("/token", "must be visible ASCII of %d to %d bytes", minTokenBytes, maxTokenBytes)
	case strings.HasPrefix(token, sessions.TokenPrefix):
		return pw, tok, perch.Invalid("/token", "is a token of this gateway, not one of the upstream: send it in the Authorization header")
	}
	return perch.NewSecret(password), perch.NewSecret(token), nil
}

// handleCredentials replaces the credential of the live session.
//
//	@ID				replaceCredentials
//	@Summary		Replace the credential
//	@Description	A refreshed access token, or a new password, replaces the credential of the live session, whose contacts see no change of presence. The upstream verifies it first, beside the live stream; on any error nothing is changed, and the previous credential stays in use. A session whose bearer is its access token takes only another access token.
//	@Tags			session
//	@Accept			json
//	@Produce		json
//	@Param			body	body	credentialsRequest	true	"the fresh credential"
//	@Success		204
//	@Failure		400	{object}	Problem
//	@Failure		401	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		503	{object}	Problem
//	@Router			/v1/session/credentials [put]
//	@Security		BearerAuth
func (a *API) handleCredentials(w http.ResponseWriter, r *http.Request) error {
	var req credentialsRequest
	if _, err := queryOf(r); err != nil {
		return err
	}
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	pw, tok, err := oneSecret(req.Password, req.Token)
	if err != nil {
		return err
	}
	return done(w, a.tryCredential(r, "replacement", auditReplaced, func(s *sessions.Session) error {
		return a.o.Sessions.ReplaceCredentials(r.Context(), s, perch.Account{Password: pw, Token: tok})
	}))
}

// tryCredential does what needs a credential of the account of the session, within the limits on refused ones.
// Line is that of the log when it was right; credential says what it was when it was not.
func (a *API) tryCredential(r *http.Request, credential, line string, try func(*sessions.Session) error) error {
	s := sessionFrom(r.Context())
	info := s.Info()
	account := a.o.Sessions.AccountKey(info.Upstream, info.JID)
	g, err := a.reserveAttempts(r, info.Upstream, account)
	if err != nil {
		return err
	}
	err = try(s)
	g.conclude(r.Context(), err)
	if err == nil {
		a.audit(r, line, s.ID(), auditAccount(account))
	}
	a.auditRefusal(r, credential, account, err)
	return err
}

// endsSession reports whether DELETE /v1/session is about the whole session, or about its token alone.
func (a *API) endsSession(r *http.Request) (bool, error) {
	q, err := queryOf(r, "all")
	if err != nil {
		return false, err
	}
	by := accessFrom(r.Context())
	switch all := q.Get("all"); {
	case !q.Has("all"):
		return !by.Made, nil
	case all == "0":
		return false, nil
	case all != "1":
		return false, perch.Invalid("?all", "must be 1 for the session, or 0 for this token alone")
	case by.Grant.Conversations != nil:
		return false, errOtherConversations
	}
	return true, scopeRule{one: ofSession, bound: boundFree}.check(by.Grant)
}

// handleSessionDelete is the only request that ends an XMPP session.
//
//	@ID				deleteSession
//	@Summary		Sign out
//	@Description	With the token of a sign-in, or the access token of the account: ends the XMPP session and drops its cache, log and tokens. With a token of POST /v1/tokens: ends that token, and its streams; the others continue, and the session ends with the last one. all=0 does the same with whichever token; all=1 ends the session, whichever token asks, and needs the scope session and no limit on conversations. Closing event streams never ends anything.
//	@Tags			session
//	@Param			all	query	string	false	"1: the session; 0: this token alone"	Enums(0, 1)
//	@Success		204
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem	"all=1 without the scope session, or for some conversations only"
//	@Failure		409	{object}	Problem	"all=0 with the access token of the account"
//	@Failure		422	{object}	Problem
//	@Failure		503	{object}	Problem
//	@Router			/v1/session [delete]
//	@Security		BearerAuth
func (a *API) handleSessionDelete(w http.ResponseWriter, r *http.Request) error {
	all, err := a.endsSession(r)
	if err != nil {
		return err
	}
	by := accessFrom(r.Context())
	if !all {
		if all, err = a.o.Sessions.EndToken(r.Context(), by); err == nil {
			a.auditToken(r, auditRevoked, by, by.ID, by.Name)
		}
	}
	if err == nil && all {
		if err = a.o.Sessions.SignOut(r.Context(), by.Session); err == nil {
			a.audit(r, auditSignedOut, by.Session.ID())
		}
	}
	if token, ok, _ := bearerOf(r); ok && err == nil {
		a.accepted.forget(token)
	}
	return done(w, err)
}
