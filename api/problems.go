package api

import (
	"html/template"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/perch-im/perch"
)

// problemDoc is the row of one slug: how it is answered, and its page.
type problemDoc struct {
	status     int
	title      string
	meaning    string
	todo       string
	retryAfter time.Duration // sent when the error itself knows none; 0: not sent
}

// problemDocs is the whole list of what a client can be refused with.
var problemDocs = map[perch.Kind]problemDoc{
	perch.KindUnauthorized: {status: 401, title: "The credential is missing or not accepted",
		meaning: "No bearer token came with the request, or the upstream, or this gateway, does not accept it. Tokens in a URL are never read.",
		todo:    "Send Authorization: Bearer <token>. If the session is suspended because its credential ran out, PUT a fresh one to /v1/session/credentials. Do not repeat the same token: refusals are remembered and counted."},
	perch.KindForbidden: {status: 403, title: "Not allowed",
		meaning: "The upstream knows what was asked for and does not let this account have it.",
		todo:    "See xmpp.condition. Often the other side has to accept a subscription first."},
	perch.KindNotFound: {status: 404, title: "No such resource",
		meaning: "This gateway has nothing at that address: no such route, or no such message of this session.",
		todo:    "Check the path and the percent-encoding of JIDs in it. A list request shows what is there."},
	perch.KindItemNotFound: {status: 404, title: "No such item",
		meaning: "The session, or its upstream, has no such buddy, invitation, card, photo or account.",
		todo:    "Check the JID or the account. A list request shows what is there."},
	slugMethodNotAllowed: {status: 405, title: "Method not allowed",
		meaning: "The resource exists and has no such method.",
		todo:    "Use one of the methods in the Allow header."},
	perch.KindConflict: {status: 409, title: "In the way of something that is going on",
		meaning: "Another request with the same key is still running, or the upstream reports a conflict.",
		todo:    "Wait a moment and ask again."},
	perch.KindIdempotencyMismatch: {status: 422, title: "The idempotency key belongs to another request",
		meaning: "The same key was used before with another body.",
		todo:    "Use a new key for a new message; repeat a request only with exactly its own body."},
	perch.KindValidation: {status: 422, title: "A field is not valid",
		meaning: "The request is well formed and says something that it may not say. errors names each field by its JSON pointer, or a query parameter as ?name.",
		todo:    "Correct the fields that are named."},
	perch.KindJIDMalformed: {status: 422, title: "Not a valid JID",
		meaning: "An address does not follow RFC 7622.",
		todo:    "Give it as localpart@domain, percent-encoded when it stands in a path."},
	perch.KindMalformedJSON: {status: 400, title: "The body is not valid JSON",
		meaning: "The body is not one JSON object in UTF-8, or names a key twice.",
		todo:    "Send exactly one object, encoded in UTF-8, each key once."},
	perch.KindBodyTooLarge: {status: 413, title: "The body is too large",
		meaning: "The body is larger than this gateway reads (256 KiB unless its operator says otherwise).",
		todo:    "Send less."},
	perch.KindUnsupportedMedia: {status: 415, title: "The body is of another type",
		meaning: "Bodies are application/json without a content encoding.",
		todo:    "Send Content-Type: application/json."},
	perch.KindUpgradeRequired: {status: 426, title: "A WebSocket is needed here",
		meaning: "The address answers WebSocket handshakes only.",
		todo:    "Connect with a WebSocket client, or use GET /v1/events."},
	perch.KindQuotaExceeded: {status: 429, title: "Too many requests", retryAfter: time.Second,
		meaning: "A limit of this gateway or of the upstream is reached. RateLimit and RateLimit-Policy show ours.",
		todo:    "Wait for the seconds in Retry-After."},
	perch.KindFeatureUnsupported: {status: 501, title: "This upstream cannot do that",
		meaning: "The XMPP server behind this session has no such feature. Nothing was sent.",
		todo:    "GET /v1/session lists the features of the session."},
	perch.KindXMPP: {status: 502, title: "The upstream answered with an error",
		meaning: "The XMPP server refused the request; xmpp has its own words.",
		todo:    "See xmpp.condition and xmpp.text."},
	perch.KindUpstreamTLS: {status: 502, title: "The upstream's TLS cannot be trusted",
		meaning: "The certificate is not valid for the domain, or the server offers no TLS. Nothing is ever sent in clear.",
		todo:    "The operator of the XMPP server, or of this gateway, has to act."},
	perch.KindSessionOffline: {status: 503, title: "The session is not online", retryAfter: 5 * time.Second,
		meaning: "There is no XMPP stream just now, or the node that has the session does not answer. Roster, presence and invitations stay readable.",
		todo:    "GET /v1/session says why and when the next attempt is made (retry_at)."},
	perch.KindDraining: {status: 503, title: "This node is stopping", retryAfter: time.Second,
		meaning: "The node takes no new work.",
		todo:    "Connect again: another node, or this one after its restart, goes on where you were."},
	perch.KindStorageUnavailable: {status: 503, title: "Nothing can be kept just now", retryAfter: 2 * time.Second,
		meaning: "The store is not reachable, so nothing may be promised. What was asked was not done.",
		todo:    "Repeat the request with the same idempotency key."},
	perch.KindUpstreamTimeout: {status: 504, title: "No answer in time",
		meaning: "The XMPP server, or another one behind it, did not answer in time.",
		todo:    "Ask again later. Whether a change was made is not known: read it first."},
	perch.KindInternal: {status: 500, title: "Internal error",
		meaning: "A fault of this gateway.",
		todo:    "Report the request_id to its operator."},
}

var problemPage = template.Must(template.New("problem").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Slug}}</title></head>
<body><h1>{{.Title}}</h1><p><code>{{.Slug}}</code>, HTTP status {{.Status}}</p>
<h2>What it means</h2><p>{{.Meaning}}</p><h2>What to do</h2><p>{{.Todo}}</p></body></html>
`))

// handleProblem shows the page that a problem's type leads to.
//
//	@ID			getProblemPage
//	@Summary	What a problem means and what to do
//	@Tags		description
//	@Produce	html
//	@Param		slug	path		string	true	"code of a problem"
//	@Success	200		{string}	string	"a short page"
//	@Failure	404		{object}	Problem
//	@Router		/problems/{slug} [get]
func (a *API) handleProblem(w http.ResponseWriter, r *http.Request) {
	slug := chi.URLParam(r, "slug")
	doc, ok := problemDocs[perch.Kind(slug)]
	if !ok {
		a.writeProblem(w, r, perch.Errorf(perch.KindNotFound, "there is no such problem"))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	_ = problemPage.Execute(w, struct {
		Slug, Title, Meaning, Todo string
		Status                     int
	}{slug, doc.title, doc.meaning, doc.todo, doc.status})
}
