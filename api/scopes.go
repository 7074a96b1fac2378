package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// scopeRule is what a token needs for an operation of REST, or a command of the socket. An operation
// without a rule is refused to every token that is restricted.
type scopeRule struct {
	one   []perch.Scope // one of them is enough; none: every token may
	all   []perch.Scope // every one of them is needed
	bound bounding
}

// bounding is what a token that is for some conversations only may do with an operation.
type bounding int

const (
	boundRefused bounding = iota // nothing: it is about others, too
	boundFree                    // it is about no conversation
	boundPath                    // when {jid} of the path is one of them
	boundHandler                 // the handler asks mayConverse, or shows only what may be seen
)

// Scopes that several rules have.
var (
	toRead     = []perch.Scope{perch.ScopeRead}
	toSend     = []perch.Scope{perch.ScopeSend}
	ofPresence = []perch.Scope{perch.ScopeRead, perch.ScopePresence}
	ofRoster   = []perch.Scope{perch.ScopeRead, perch.ScopeRoster}
	ofRooms    = []perch.Scope{perch.ScopeRead, perch.ScopeRooms}
	inRoster   = []perch.Scope{perch.ScopeRoster}
	inRooms    = []perch.Scope{perch.ScopeRooms}
	ofStreams  = []perch.Scope{perch.ScopeRead, perch.ScopePresence, perch.ScopeRoster, perch.ScopeRooms}
	ofSession  = []perch.Scope{perch.ScopeSession}
	ofWebhooks = []perch.Scope{perch.ScopeWebhooks}
	ofTokens   = []perch.Scope{perch.ScopeTokens}
	ofStanzas  = []perch.Scope{perch.ScopeRead, perch.ScopeSend, perch.ScopePresence, perch.ScopeRoster, perch.ScopeRooms, perch.ScopeSession}
)

// scopeRules are the rules of all operations, by method and pattern.
var scopeRules = map[string]scopeRule{
	"GET /v1/events":          {one: ofStreams, bound: boundHandler},
	"GET /v1/events/ws":       {one: ofStreams, bound: boundHandler},
	"POST /v1/events/tickets": {one: ofStreams, bound: boundFree}, // a ticket may do what its token may

	"POST /v1/session":            {bound: boundHandler}, // rooms in the body needs more
	"GET /v1/session":             {bound: boundFree},
	"DELETE /v1/session":          {bound: boundHandler}, // a token may always end itself; ?all=1 needs more
	"PUT /v1/session/credentials": {one: ofSession, bound: boundFree},
	"PUT /v1/session/password":    {one: ofSession, bound: boundFree},

	"GET /v1/tokens":         {one: ofTokens, bound: boundHandler},
	"POST /v1/tokens":        {one: ofTokens, bound: boundHandler},
	"DELETE /v1/tokens/{id}": {one: ofTokens, bound: boundHandler},

	"GET /v1/webhooks":              {all: ofWebhooks, bound: boundHandler}, // those that show no more than the token
	"GET /v1/webhooks/{id}":         {all: ofWebhooks, bound: boundHandler},
	"PUT /v1/webhooks/{id}":         {one: ofStreams, all: ofWebhooks, bound: boundHandler}, // it shows what the token may see
	"DELETE /v1/webhooks/{id}":      {all: ofWebhooks, bound: boundHandler},
	"POST /v1/webhooks/{id}/test":   {all: ofWebhooks, bound: boundHandler},
	"POST /v1/webhooks/{id}/replay": {one: ofStreams, all: ofWebhooks, bound: boundHandler},

	// A device may have messages pushed to itself by the token that it reads with: they end with that token, and
	// show no more. What another token has put is for the handler.
	"GET /v1/push":            {one: toRead, bound: boundHandler},
	"PUT /v1/push/{id}":       {one: toRead, bound: boundHandler},
	"DELETE /v1/push/{id}":    {one: toRead, bound: boundHandler},
	"POST /v1/push/{id}/test": {one: toRead, bound: boundHandler},

	"GET /v1/presence":       {one: ofPresence},
	"GET /v1/presence/{jid}": {one: ofPresence, bound: boundPath},
	"GET /v1/presence/me":    {one: ofPresence, bound: boundFree},
	"PUT /v1/presence/me":    {one: []perch.Scope{perch.ScopePresence}, bound: boundFree},

	"GET /v1/buddies":                    {one: ofRoster},
	"POST /v1/buddies":                   {one: inRoster},
	"GET /v1/buddies/{jid}":              {one: ofRoster, bound: boundPath},
	"PATCH /v1/buddies/{jid}":            {one: inRoster, bound: boundPath},
	"DELETE /v1/buddies/{jid}":           {one: inRoster, bound: boundPath},
	"GET /v1/invitations":                {one: ofRoster},
	"POST /v1/invitations/{jid}/accept":  {one: inRoster, bound: boundPath},
	"POST /v1/invitations/{jid}/decline": {one: inRoster, bound: boundPath},
	"GET /v1/jids":                       {one: ofRoster},
	"GET /v1/blocked":                    {one: ofRoster},
	"DELETE /v1/blocked":                 {one: inRoster},
	"GET /v1/blocked/{jid}":              {one: ofRoster, bound: boundPath},
	"PUT /v1/blocked/{jid}":              {one: inRoster, bound: boundPath},
	"DELETE /v1/blocked/{jid}":           {one: inRoster, bound: boundPath},
	"GET /v1/vcards/me":                  {one: ofRoster, bound: boundFree},
	"GET /v1/vcards/me/photo":            {one: ofRoster, bound: boundFree},
	"PUT /v1/vcards/me":                  {one: inRoster, bound: boundFree},
	"PUT /v1/vcards/me/nick":             {one: inRoster, bound: boundFree},
	"DELETE /v1/vcards/me/nick":          {one: inRoster, bound: boundFree},
	"PUT /v1/vcards/me/photo":            {one: inRoster, bound: boundFree},
	"DELETE /v1/vcards/me/photo":         {one: inRoster, bound: boundFree},
	"GET /v1/vcards/{jid}":               {one: ofRoster, bound: boundPath},
	"GET /v1/vcards/{jid}/photo":         {one: ofRoster, bound: boundPath},

	"GET /v1/archive":                                      {one: toRead, bound: boundHandler},
	"GET /v1/conversations":                                {one: toRead, bound: boundHandler},
	"GET /v1/conversations/{jid}":                          {one: toRead, bound: boundPath},
	"PATCH /v1/conversations/{jid}":                        {one: toSend, bound: boundPath},
	"PUT /v1/conversations/{jid}/read":                     {one: toSend, bound: boundPath},
	"GET /v1/conversations/{jid}/messages":                 {one: toRead, bound: boundPath},
	"GET /v1/conversations/{jid}/messages/{ref}":           {one: toRead, bound: boundPath},
	"PATCH /v1/conversations/{jid}/messages/{ref}":         {one: toSend, bound: boundPath},
	"DELETE /v1/conversations/{jid}/messages/{ref}":        {one: toSend, bound: boundPath},
	"PUT /v1/conversations/{jid}/messages/{ref}/reactions": {one: toSend, bound: boundPath},

	"POST /v1/messages":         {one: toSend, bound: boundHandler},
	"GET /v1/messages/{id}":     {one: []perch.Scope{perch.ScopeRead, perch.ScopeSend}, bound: boundHandler},
	"PUT /v1/chat-states/{jid}": {one: toSend, bound: boundPath},
	"POST /v1/uploads":          {one: toSend, bound: boundFree},
	"PUT /v1/uploads/{id}":      {one: toSend, bound: boundFree},
	"POST /v1/stanzas":          {all: ofStanzas},
	"POST /mcp":                 {bound: boundFree}, // each tool has the rule of its operation

	"GET /v1/rooms":                           {one: ofRooms},
	"GET /v1/directory":                       {one: ofRooms},
	"GET /v1/rooms/{jid}":                     {one: ofRooms, bound: boundPath},
	"GET /v1/rooms/{jid}/occupants":           {one: ofRooms, bound: boundPath},
	"GET /v1/rooms/{jid}/members":             {one: ofRooms, bound: boundPath},
	"GET /v1/rooms/{jid}/config":              {one: ofRooms, bound: boundPath},
	"GET /v1/rooms/{jid}/photo":               {one: ofRooms, bound: boundPath},
	"PUT /v1/rooms/{jid}":                     {one: inRooms, bound: boundPath},
	"PATCH /v1/rooms/{jid}":                   {one: inRooms, bound: boundPath},
	"DELETE /v1/rooms/{jid}":                  {one: inRooms, bound: boundPath},
	"POST /v1/rooms/{jid}/destroy":            {one: inRooms, bound: boundPath},
	"PUT /v1/rooms/{jid}/subject":             {one: inRooms, bound: boundPath},
	"PATCH /v1/rooms/{jid}/occupants/{nick}":  {one: inRooms, bound: boundPath},
	"DELETE /v1/rooms/{jid}/occupants/{nick}": {one: inRooms, bound: boundPath},
	"PUT /v1/rooms/{jid}/members/{member}":    {one: inRooms, bound: boundPath},
	"DELETE /v1/rooms/{jid}/members/{member}": {one: inRooms, bound: boundPath},
	"POST /v1/rooms/{jid}/invitations":        {one: inRooms, bound: boundPath},
	"PATCH /v1/rooms/{jid}/config":            {one: inRooms, bound: boundPath},
	"PUT /v1/rooms/{jid}/photo":               {one: inRooms, bound: boundPath},
	"DELETE /v1/rooms/{jid}/photo":            {one: inRooms, bound: boundPath},
}

// commandRules are the rules of the commands of the socket.
var commandRules = map[string]scopeRule{
	"message.send":      {one: toSend, bound: boundHandler},
	"message.edit":      {one: toSend, bound: boundHandler},
	"message.retract":   {one: toSend, bound: boundHandler},
	"message.react":     {one: toSend, bound: boundHandler},
	"conversation.read": {one: toSend, bound: boundHandler},
	"chat_state.set":    {one: toSend, bound: boundHandler},
	"room.join":         {one: inRooms, bound: boundHandler},
	"room.leave":        {one: inRooms, bound: boundHandler},
	"room.subject":      {one: inRooms, bound: boundHandler},
	"blocked.add":       {one: inRoster, bound: boundHandler},
	"blocked.remove":    {one: inRoster, bound: boundHandler},
	"presence.set":      {one: []perch.Scope{perch.ScopePresence}, bound: boundFree},
	"subscribe":         {bound: boundFree}, // hides, and shows nothing that the token may not see
	"ack":               {bound: boundFree},
	"ping":              {bound: boundFree},
}

type accessKey struct{}

// accessFrom is what the token of the request that ctx belongs to may do.
func accessFrom(ctx context.Context) sessions.Access {
	a, _ := ctx.Value(accessKey{}).(sessions.Access)
	return a
}

// operationOf names the operation of a request as scopeRules does. It is known once the request is routed.
func operationOf(r *http.Request) string {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if rc := chi.RouteContext(r.Context()); rc != nil {
		return method + " " + strings.TrimSuffix(rc.RoutePattern(), "/")
	}
	return method
}

// authorize refuses an operation that the token of an access may not do, and one that is meant for another upstream. What depends on the body is for
// the handler.
func authorize(r *http.Request, by sessions.Access) error {
	if err := sessions.CheckUpstream(r.Context(), by.Session); err != nil {
		return err
	}
	if !by.Restricted() {
		return nil
	}
	rule, ok := scopeRules[operationOf(r)]
	if !ok {
		return errNoRule
	}
	if err := rule.check(by.Grant); err != nil {
		return err
	}
	if by.Grant.Conversations == nil || rule.bound != boundPath {
		return nil
	}
	jid, err := pathAddress(r)
	if err != nil {
		return err
	}
	return mayConverse(by, jid)
}

var errNoRule error = &perch.Error{Kind: perch.KindInsufficientScope, Detail: "no scope covers this: only the token of a sign-in may do it"}

// allows reports whether a grant is enough for an operation, on some conversation at least.
func allows(g perch.Grant, operation string) bool {
	rule, ok := scopeRules[operation]
	return g.Full() || ok && rule.check(g) == nil
}

// check refuses what a grant has no scope for.
func (rule scopeRule) check(g perch.Grant) error {
	if len(rule.one) > 0 && !g.Allows(rule.one...) {
		return lacks(rule.one, "the token has no scope for this: it needs %s", strings.Join(names(rule.one), " or "))
	}
	if !g.AllowsAll(rule.all...) {
		return lacks(rule.all, "the token has not all scopes for this: it needs %s", strings.Join(names(rule.all), ", "))
	}
	if g.Conversations != nil && rule.bound == boundRefused {
		return errOtherConversations
	}
	return nil
}

var errOtherConversations error = &perch.Error{Kind: perch.KindInsufficientScope, Detail: "the token is for some conversations only, and this is about others, too"}

// lacks is the refusal of a token that has none of some scopes.
func lacks(scopes []perch.Scope, format string, args ...any) error {
	e := perch.Errorf(perch.KindInsufficientScope, format, args...)
	e.Scopes = scopes
	return e
}

// names are the texts of scopes, or of JIDs.
func names[T ~string](of []T) []string {
	list := make([]string, len(of))
	for i, s := range of {
		list[i] = string(s)
	}
	return list
}

// mayConverse refuses a conversation that the token of an access is not for: its address must be named
// as the token names it, so that the one of a room is not one of its occupants.
func mayConverse(by sessions.Access, jid perch.JID) error {
	if by.Grant.AllowsConversation(jid) {
		return nil
	}
	return &perch.Error{Kind: perch.KindInsufficientScope, Detail: "the token is for some conversations only, and this is not one of them"}
}

// boundOf is what the token of a stream may see; nil: everything.
func boundOf(by sessions.Access) *sessions.Bound {
	if by.Grant.Full() {
		return nil
	}
	return &sessions.Bound{Conversations: by.Grant.Conversations, Types: by.Grant.Shows}
}
