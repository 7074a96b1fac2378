package api

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// Bounds of a token.
const (
	maxTokenName          = 100 // characters
	maxTokenConversations = 50
	maxTokenLife          = 366 * 24 * time.Hour
)

// tokenRequest is the body of POST /v1/tokens.
type tokenRequest struct {
	Name   string        `json:"name" example:"backup bot" need:"yes"`
	Scopes []perch.Scope `json:"scopes" example:"read,send" need:"yes"`
	// The only conversations that the token is for; left out: all that the token of the request is for.
	Conversations []string `json:"conversations" example:"bob@example.net"`
	// Seconds until it ends; left out: with the token of the request, or with the session.
	ExpiresIn *int64 `json:"expires_in" example:"3600"`
} // @name TokenRequest

// tokenView is a token without its text.
type tokenView struct {
	ID            string        `json:"id"`
	Kind          string        `json:"kind" enums:"sign-in,made,account"` // made with POST /v1/tokens; account: the access token of the upstream
	Name          string        `json:"name"`
	Scopes        []perch.Scope `json:"scopes"`
	Conversations []string      `json:"conversations,omitempty"` // left out: all
	CreatedAt     perch.Time    `json:"created_at"`              // null: not known
	ExpiresAt     perch.Time    `json:"expires_at"`              // null: with the session
	LastUsedAt    perch.Time    `json:"last_used_at"`            // within some minutes; null: not yet
	LastUsedFrom  string        `json:"last_used_from,omitempty"`
	Current       bool          `json:"current"` // it is the token of this request
} // @name Token

// tokenAnswer is a token that was made, and, in this answer alone, its text.
type tokenAnswer struct {
	Token string `json:"token" example:"perch_..."`
	tokenView
} // @name NewToken

// tokenListAnswer is the answer of GET /v1/tokens.
type tokenListAnswer struct {
	Items []tokenView `json:"items"`
} // @name TokenList

func tokenViewOf(t sessions.Token, by sessions.Access) tokenView {
	v := tokenView{
		ID: t.ID, Kind: t.Kind, Name: t.Name, Scopes: t.Grant.Scopes, CreatedAt: t.Created,
		ExpiresAt: t.Grant.Expires, LastUsedAt: t.Used.At, LastUsedFrom: t.Used.Address, Current: t.Is(by),
		Conversations: names(t.Grant.Conversations),
	}
	if v.Scopes == nil {
		v.Scopes = perch.Scopes()
	}
	return v
}

// handleTokens lists the tokens of the session.
//
//	@ID				listTokens
//	@Summary		List tokens
//	@Description	The tokens that lead to this session and may do no more than the one of the request: those of sign-ins, those of POST /v1/tokens, and the access token of the account where that is the bearer. Never their text. When one was used last is exact to some minutes.
//	@Tags			tokens
//	@Produce		json
//	@Success		200	{object}	tokenListAnswer
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		503	{object}	Problem
//	@Router			/v1/tokens [get]
//	@Security		BearerAuth
func (a *API) handleTokens(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	by := accessFrom(r.Context())
	all, err := a.o.Sessions.Tokens(r.Context(), by)
	if err != nil {
		return err
	}
	answer := tokenListAnswer{Items: []tokenView{}}
	for _, t := range all {
		answer.Items = append(answer.Items, tokenViewOf(t, by))
	}
	w.Header()["Cache-Control"] = noStore
	return writeJSON(w, http.StatusOK, answer)
}

// handleTokenCreate makes a token that may do less.
//
//	@ID				createToken
//	@Summary		Make a token
//	@Description	A token for another device, a bot or a service, that leads to this session. It may do no more than the token of the request: its scopes and conversations are among those of that one, and it ends no later. token is shown only once. A session has at most 100 of them.
//	@Tags			tokens
//	@Accept			json
//	@Produce		json
//	@Param			body	body		tokenRequest	true	"what it may do"
//	@Success		201		{object}	tokenAnswer
//	@Header			201		{string}	Location	"its address"
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		403		{object}	Problem	"the token of the request has not all of that"
//	@Failure		413		{object}	Problem
//	@Failure		415		{object}	Problem
//	@Failure		422		{object}	Problem
//	@Failure		429		{object}	Problem	"the session has too many"
//	@Failure		503		{object}	Problem
//	@Router			/v1/tokens [post]
//	@Security		BearerAuth
func (a *API) handleTokenCreate(w http.ResponseWriter, r *http.Request) error {
	var req tokenRequest
	if _, err := queryOf(r); err != nil {
		return err
	}
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	by := accessFrom(r.Context())
	n, err := req.checked(by, time.Now())
	if err != nil {
		return err
	}
	token, made, err := a.o.Sessions.MakeToken(r.Context(), by, n)
	if err != nil {
		return err
	}
	a.accepted.add(token)
	a.auditToken(r, auditMade, by, made.ID, made.Name)
	w.Header().Set("Location", "/v1/tokens/"+made.ID)
	w.Header()["Cache-Control"] = noStore
	return writeJSON(w, http.StatusCreated, tokenAnswer{token.Reveal(), tokenViewOf(made, by)})
}

// checked returns what the token is to be. What the token of the request has not is refused.
func (req tokenRequest) checked(by sessions.Access, now time.Time) (n sessions.NewToken, err error) {
	if req.Name == "" {
		return n, perch.Invalid("/name", "is needed: it is what the token is known by in the list")
	}
	if err := oneLine("/name", req.Name, maxTokenName); err != nil {
		return n, err
	}
	n.Name = req.Name
	if n.Grant.Scopes, err = scopesOf(req.Scopes, by.Grant); err != nil {
		return n, err
	}
	if n.Grant.Conversations, err = req.conversations(by); err != nil {
		return n, err
	}
	n.Grant.Expires, err = req.expires(by, now)
	return n, err
}

// scopesOf reads the scopes of a token, in the order in which they are shown.
func scopesOf(list []perch.Scope, of perch.Grant) (scopes []perch.Scope, err error) {
	if len(list) == 0 {
		return nil, perch.Invalid("/scopes", "is needed: one or more of read, send, presence, roster, rooms, session, webhooks and tokens")
	}
	for i, s := range list {
		switch {
		case !s.Valid():
			return nil, perch.Invalid(pointerAt("/scopes", i), "%s is not a scope: they are read, send, presence, roster, rooms, session, webhooks and tokens", quoteShort(string(s)))
		case slices.Contains(list[:i], s):
			return nil, perch.Invalid(pointerAt("/scopes", i), "is there twice")
		case !of.Allows(s):
			return nil, wider(pointerAt("/scopes", i), "the token of this request has not the scope "+string(s), s)
		}
	}
	for _, s := range perch.Scopes() {
		if slices.Contains(list, s) {
			scopes = append(scopes, s)
		}
	}
	return scopes, nil
}

// conversations reads the conversations of a token; nil: all.
func (req tokenRequest) conversations(by sessions.Access) (list []perch.JID, err error) {
	if req.Conversations == nil {
		return by.Grant.Conversations, nil
	}
	return conversationsWithin(req.Conversations, maxTokenConversations, by)
}

// conversationsWithin reads the conversations of a body, of which the token of the request is for each; nil: none
// are named.
func conversationsWithin(names []string, most int, by sessions.Access) (list []perch.JID, err error) {
	if names != nil && len(names) == 0 {
		return nil, perch.Invalid("/conversations", "names none: leave it out for all, or name some")
	}
	if len(names) > most {
		return nil, perch.Invalid("/conversations", "has more than %d JIDs", most)
	}
	for i, text := range names {
		jid, err := addressOf(by.Session, pointerAt("/conversations", i), text)
		switch {
		case err != nil:
			return nil, err
		case !by.Grant.AllowsConversation(jid):
			return nil, wider(pointerAt("/conversations", i), "the token of this request is not for this conversation")
		case !slices.ContainsFunc(list, jid.Equal):
			list = append(list, jid)
		}
	}
	return list, nil
}

// expires is when a token ends; 0: with the session.
func (req tokenRequest) expires(by sessions.Access, now time.Time) (perch.Time, error) {
	if req.ExpiresIn == nil {
		return by.Grant.Expires, nil
	}
	if *req.ExpiresIn < 1 || *req.ExpiresIn > int64(maxTokenLife/time.Second) {
		return 0, perch.Invalid("/expires_in", "must be 1 to %d seconds", int64(maxTokenLife/time.Second))
	}
	end := perch.At(now.Add(time.Duration(*req.ExpiresIn) * time.Second))
	if by.Grant.Expires != 0 && end > by.Grant.Expires {
		return 0, wider("/expires_in", "the token of this request ends earlier: leave expires_in out, and both end together")
	}
	return end, nil
}

// wider refuses a token that could do more than the one that makes it.
func wider(pointer, detail string, scopes ...perch.Scope) error {
	return &perch.Error{Kind: perch.KindInsufficientScope, Detail: pointer + ": " + detail, Scopes: scopes,
		Fields: []perch.FieldError{{Pointer: pointer, Detail: detail}}}
}

// handleTokenRevoke ends a token.
//
//	@ID				revokeToken
//	@Summary		Revoke a token
//	@Description	It is refused from now on, on every node, and its streams end: sockets are closed with 4001, other streams by an error frame with that code. The session and its other tokens continue.
//	@Tags			tokens
//	@Param			id	path	string	true	"id of the token"
//	@Success		204
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem
//	@Failure		404	{object}	Problem	"there is none, or it may do more than the token of the request"
//	@Failure		409	{object}	Problem	"the access token of the account"
//	@Failure		503	{object}	Problem
//	@Router			/v1/tokens/{id} [delete]
//	@Security		BearerAuth
func (a *API) handleTokenRevoke(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	id, err := pathText(r, "id")
	if err != nil {
		return err
	}
	by := accessFrom(r.Context())
	ended, err := a.o.Sessions.RevokeToken(r.Context(), by, id)
	if err == nil {
		a.auditToken(r, auditRevoked, by, ended.ID, ended.Name)
	}
	return done(w, err)
}

func pointerAt(pointer string, i int) string { return pointer + "/" + strconv.Itoa(i) }
