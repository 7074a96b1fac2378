package api

import (
	"html/template"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/perch-im/perch"
)

// problemDoc is the row of one slug: its status and title, and the texts of its page.
type problemDoc struct {
	status     int
	title      string
	meaning    string
	action     string
	retryAfter time.Duration // sent when the error itself has none; 0: not sent
}

// problemDocs has every problem of the API.
var problemDocs = map[perch.Kind]problemDoc{
	perch.KindUnauthorized: {status: 401, title: "Unauthorized",
		meaning: "The request has no bearer token, or the upstream or this gateway does not accept it. Tokens in a URL are never read.",
		action:  "Send Authorization: Bearer <token>. If the session is suspended because its credential has expired, PUT a fresh one to /v1/session/credentials. Do not repeat the same token: refusals are remembered and counted."},
	perch.KindForbidden: {status: 403, title: "Forbidden",
		meaning: "The upstream, or this gateway, does not allow this account what the request asks for.",
		action:  "See xmpp.condition. Often the other side has to accept a subscription first."},
	perch.KindInsufficientScope: {status: 403, title: "Insufficient scope",
		meaning: "The token is good, and may not do this: it lacks a scope, which scopes names, or is for other conversations.",
		action:  "Use a token that has the scope. POST /v1/tokens makes one, with a token that may do at least as much; GET /v1/tokens lists them."},
	perch.KindBlocked: {status: 403, title: "Blocked",
		meaning: "The account blocks the address that this is for, or its domain, so its server would send nothing there. Nothing was sent.",
		action:  "DELETE /v1/blocked/{jid} unblocks it; GET /v1/blocked has what is blocked."},
	perch.KindNotFound: {status: 404, title: "Not found",
		meaning: "There is no such path, or no such message of this session.",
		action:  "Check the path and the percent-encoding of JIDs in it. A list request has what exists."},
	perch.KindItemNotFound: {status: 404, title: "Item not found",
		meaning: "The session, or its upstream, has no such buddy, invitation, card, photo or account.",
		action:  "Check the JID or the account. A list request has what exists."},
	slugMethodNotAllowed: {status: 405, title: "Method not allowed",
		meaning: "The resource does not support this method.",
		action:  "Use one of the methods in the Allow header."},
	slugLengthRequired: {status: 411, title: "Length required",
		meaning: "The body has no Content-Length, and this resource takes only what it knows the size of.",
		action:  "Send Content-Length, and no Transfer-Encoding. Browsers do so for a Blob or File, not for a stream."},
	perch.KindConflict: {status: 409, title: "Conflict",
		meaning: "Another request with the same key is still running, or the upstream reports a conflict.",
		action:  "Wait a second and repeat the request."},
	perch.KindRoomNotJoined: {status: 409, title: "Room not joined",
		meaning: "The account is not in this room, and only those who are in it may do what the request asks for.",
		action:  "PUT /v1/rooms/{jid} joins it; room.state says when that is done."},
	perch.KindNickConflict: {status: 409, title: "Nick in use",
		meaning: "Another occupant of the room has this nick, or a member has it reserved.",
		action:  "Join with another nick."},
	perch.KindOccupantChanged: {status: 409, title: "Nick of another occupant",
		meaning: "A private message is to a nick in a room, and another occupant has that nick now than the one whom this message would be for. Nothing was sent.",
		action:  "GET /v1/rooms/{jid}/occupants says who has the nick. To write to them, send their occupant_id along, or * in a room that gives none."},
	perch.KindGone: {status: 410, title: "Room gone",
		meaning: "The room was destroyed.",
		action:  "Join the successor, if there is one; remove the bookmark with DELETE /v1/rooms/{jid}?forget=1."},
	perch.KindIdempotencyMismatch: {status: 422, title: "Idempotency key reused",
		meaning: "The same key was used before with another body.",
		action:  "Use a new key for a new message; repeat a request only with exactly its own body."},
	perch.KindValidation: {status: 422, title: "Validation failed",
		meaning: "The request is well formed and a field or a parameter has a value that is not allowed. errors names each field by its JSON pointer, or a query parameter as ?name.",
		action:  "Correct the fields that errors names."},
	perch.KindJIDMalformed: {status: 422, title: "Invalid JID",
		meaning: "An address does not follow RFC 7622.",
		action:  "Give it as localpart@domain, percent-encoded when it stands in a path."},
	perch.KindMalformedJSON: {status: 400, title: "Malformed JSON",
		meaning: "The body is not one JSON object in UTF-8, or has a duplicate key.",
		action:  "Send exactly one object, encoded in UTF-8, each key once."},
	perch.KindBodyTooLarge: {status: 413, title: "Body too large",
		meaning: "The body is larger than this gateway reads (256 KiB unless its operator says otherwise).",
		action:  "Send a smaller body."},
	perch.KindFileTooLarge: {status: 413, title: "File too large",
		meaning: "The upload service does not take a file of this size; max_size has its limit in bytes, where it is known.",
		action:  "Choose a smaller file. GET /v1/session has the limit beforehand, as uploads.max_size."},
	perch.KindUploadRefused: {status: 502, title: "Upload refused",
		meaning: "The upload service did not take the file, or its address cannot be used: detail says why, and upstream_status has the HTTP status of its answer, if there was one.",
		action:  "Ask for another slot with POST /v1/uploads and try again. When detail is about the address, the operator of the upload service, or of this gateway, has to correct it."},
	perch.KindUnsupportedMedia: {status: 415, title: "Unsupported media type",
		meaning: "The body must be application/json in UTF-8, without a content encoding.",
		action:  "Send Content-Type: application/json."},
	perch.KindUpgradeRequired: {status: 426, title: "Upgrade required",
		meaning: "This address accepts WebSocket handshakes only.",
		action:  "Connect with a WebSocket client, or use GET /v1/events."},
	perch.KindQuotaExceeded: {status: 429, title: "Too many requests", retryAfter: time.Second,
		meaning: "A limit of this gateway or of the upstream is reached. RateLimit and RateLimit-Policy have those of the gateway.",
		action:  "Wait for the seconds in Retry-After, then repeat the request."},
	perch.KindFeatureUnsupported: {status: 501, title: "Feature not supported by the upstream",
		meaning: "The XMPP server behind this session has no such feature. Nothing was sent.",
		action:  "GET /v1/session lists the features of the session."},
	perch.KindXMPP: {status: 502, title: "Upstream error",
		meaning: "The XMPP server refused the request; xmpp has its answer. Or it cannot be used as it is configured here, and detail says why.",
		action:  "See xmpp.condition and xmpp.text, or detail. A wrong configuration is for the operator of this gateway: to repeat the request does not help."},
	perch.KindUpstreamTLS: {status: 502, title: "Upstream TLS failure",
		meaning: "The certificate is not valid for the domain, or the server offers no TLS. Nothing is ever sent in clear.",
		action:  "The operator of the XMPP server, or of this gateway, has to correct it."},
	perch.KindSessionOffline: {status: 503, title: "Session offline", retryAfter: 5 * time.Second,
		meaning: "The session has no XMPP stream at present, or the node that owns it does not answer. Roster, presence and invitations can still be read.",
		action:  "GET /v1/session has the reason, and the time of the next attempt (retry_at)."},
	perch.KindDraining: {status: 503, title: "Draining", retryAfter: time.Second,
		meaning: "This node is stopping and accepts no new requests of this kind.",
		action:  "Connect again: another node, or this one after its restart, resumes from your cursor."},
	perch.KindStorageUnavailable: {status: 503, title: "Storage unavailable", retryAfter: 2 * time.Second,
		meaning: "The store cannot be written to, so the request was not carried out.",
		action:  "Repeat the request with the same idempotency key."},
	perch.KindUpstreamTimeout: {status: 504, title: "Upstream timeout",
		meaning: "The XMPP server, or another one behind it, did not answer in time, or the connection to the node of the session was lost.",
		action:  "Repeat the request later. A change may have been made: read the state first."},
	perch.KindInternal: {status: 500, title: "Internal error",
		meaning: "The gateway failed.",
		action:  "Give the request_id to the operator of the gateway."},
}

var problemPage = template.Must(template.New("problem").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Slug}}</title></head>
<body><h1>{{.Title}}</h1><p><code>{{.Slug}}</code>, HTTP status {{.Status}}</p>
<h2>What it means</h2><p>{{.Meaning}}</p><h2>What to do</h2><p>{{.Action}}</p></body></html>
`))

// handleProblem serves the page that the type of a problem is the address of.
//
//	@ID			getProblemPage
//	@Summary	Meaning of a problem, and what to do
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
		Slug, Title, Meaning, Action string
		Status                       int
	}{slug, doc.title, doc.meaning, doc.action, doc.status})
}
