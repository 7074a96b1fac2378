package api

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/perch-im/perch"
)

// Problem is an error as RFC 9457 describes it. Code is the slug that clients switch on;
// Type is the address of its page (see problem_table.go).
type Problem struct {
	Type      string             `json:"type"`
	Title     string             `json:"title"`
	Status    int                `json:"status"`
	Detail    string             `json:"detail,omitempty"`
	Instance  string             `json:"instance,omitempty"`
	Code      string             `json:"code"`
	RequestID string             `json:"request_id,omitempty"`
	Errors    []perch.FieldError `json:"errors,omitempty"`
	XMPP      *perch.XMPPError   `json:"xmpp,omitempty"`
	Successor perch.JID          `json:"successor,omitempty"` // of a room that is gone
	MaxSize   int64              `json:"max_size,omitempty"`  // of a file, in bytes
	Scopes    []perch.Scope      `json:"scopes,omitempty"`    // of which the token lacks one, or all that are needed: see detail
	// The HTTP status with which the upload service has refused a file.
	UpstreamStatus int `json:"upstream_status,omitempty"`

	retryAfter time.Duration
}

// slugs that only HTTP has; every other slug is a [perch.Kind].
const (
	slugMethodNotAllowed perch.Kind = "method-not-allowed"
	slugLengthRequired   perch.Kind = "length-required"
)

// slugOf turns the kinds that only the supervision of a session distinguishes into the
// slug that a client sees. Every other kind is its own slug.
var slugOf = map[perch.Kind]perch.Kind{
	perch.KindLinkLost:        perch.KindSessionOffline,
	perch.KindStreamConflict:  perch.KindSessionOffline,
	perch.KindTryLater:        perch.KindSessionOffline,
	perch.KindPolicy:          perch.KindXMPP,
	perch.KindUpstreamConfig:  perch.KindXMPP,
	perch.KindRedirectRefused: perch.KindXMPP,
}

// conditionSlug gives the slug of a stanza error (RFC 6120, 8.3.3). Any other condition
// is xmpp-error.
var conditionSlug = map[string]perch.Kind{
	"item-not-found":          perch.KindItemNotFound,
	"recipient-unavailable":   perch.KindItemNotFound,
	"forbidden":               perch.KindForbidden,
	"not-authorized":          perch.KindForbidden,
	"subscription-required":   perch.KindForbidden,
	"policy-violation":        perch.KindForbidden,
	"jid-malformed":           perch.KindJIDMalformed,
	"bad-request":             perch.KindValidation,
	"not-acceptable":          perch.KindValidation,
	"conflict":                perch.KindConflict,
	"feature-not-implemented": perch.KindFeatureUnsupported,
	"service-unavailable":     perch.KindFeatureUnsupported,
	"resource-constraint":     perch.KindQuotaExceeded,
	"remote-server-timeout":   perch.KindUpstreamTimeout,
	"remote-server-not-found": perch.KindXMPP,
}

// problemOf is what the client of a request sees of an error.
func problemOf(r *http.Request, err error) Problem {
	if r == nil {
		return problemAt("", "", err)
	}
	p := problemAt(r.URL.EscapedPath(), requestID(r.Context()), err)
	if _, ok := errors.AsType[misdirectedError](err); ok {
		p.Status = http.StatusMisdirectedRequest
	}
	return p
}

// problemAt is the one place where an error becomes what a client sees. An error without a kind
// is "internal": its text is never shown.
func problemAt(path, requestID string, err error) Problem {
	e := kinded(err)
	slug := slugFor(e)
	doc, ok := problemDocs[slug]
	if !ok {
		slug, doc = perch.KindInternal, problemDocs[perch.KindInternal]
	}
	p := Problem{
		Type: "/problems/" + string(slug), Title: doc.title, Status: doc.status, Code: string(slug),
		Detail: e.Detail, Errors: e.Fields, XMPP: e.XMPP, Successor: e.Successor, MaxSize: e.MaxSize, UpstreamStatus: e.UpstreamStatus, Scopes: e.Scopes, retryAfter: e.RetryAfter,
		Instance: path, RequestID: requestID,
	}
	if slug == perch.KindInternal {
		p.Detail = "The gateway failed. Give the request_id to its operator, who finds it in the log."
		p.Errors, p.XMPP, p.Successor, p.MaxSize, p.UpstreamStatus, p.Scopes = nil, nil, "", 0, 0, nil
	}
	if p.retryAfter <= 0 {
		p.retryAfter = doc.retryAfter
	}
	return p
}

// kinded finds the perch.Error in err, or makes one.
func kinded(err error) *perch.Error {
	if e, ok := errors.AsType[*perch.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return perch.Errorf(perch.KindBodyTooLarge, "the body is larger than %d bytes", e.Limit)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return perch.Wrap(perch.KindUpstreamTimeout, err, "the upstream did not answer in time")
	}
	return perch.Wrap(perch.KindInternal, err, "")
}

func slugFor(e *perch.Error) perch.Kind {
	if e.Kind == perch.KindXMPP && e.XMPP != nil {
		slug, ok := conditionSlug[e.XMPP.Condition]
		if !ok || (e.XMPP.Condition == "service-unavailable" && strings.Contains(e.XMPP.By, "@")) {
			// An account's server answers service-unavailable to hide whether there is such an
			// account (RFC 6121, 8.5): it does not mean that a feature is missing.
			return perch.KindXMPP
		}
		return slug
	}
	if slug, ok := slugOf[e.Kind]; ok {
		return slug
	}
	return e.Kind
}

// writeProblem answers with the problem of err. All refusals come here.
func (a *API) writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(r, err)
	recordProblem(r, p)
	if p.Status >= http.StatusInternalServerError {
		a.logProblem(r.Context(), routePattern(r), p, err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Del("ETag")
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", challenge(r))
	}
	if p.Code == string(perch.KindInsufficientScope) {
		h.Set("WWW-Authenticate", insufficient(p))
	}
	if q, ok := errors.AsType[*quotaError](err); ok {
		q.show(h)
	}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	body, _ := json.Marshal(p) // of plain fields: cannot fail
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n'))
}

// challenge asks for a bearer token, and reports one that was sent as invalid (RFC 6750, 3).
func challenge(r *http.Request) string {
	if r.Header.Get("Authorization") == "" {
		return `Bearer realm="perch"`
	}
	return `Bearer realm="perch", error="invalid_token"`
}

// insufficient says which scopes a token lacks (RFC 6750, 3.1).
func insufficient(p Problem) string {
	challenge := `Bearer realm="perch", error="insufficient_scope"`
	if len(p.Scopes) > 0 {
		challenge += `, scope="` + strings.Join(names(p.Scopes), " ") + `"`
	}
	return challenge
}

// logProblem logs the cause of a 5xx: at error when the gateway or its store has failed, at
// debug when the upstream or the connection to it has.
func (a *API) logProblem(ctx context.Context, route string, p Problem, err error) {
	level := "debug"
	if p.Code == string(perch.KindInternal) || p.Code == string(perch.KindStorageUnavailable) {
		level = "error"
	}
	args := []any{"code", p.Code, "route", route, "request_id", p.RequestID, "error", err}
	if level == "error" {
		a.log.ErrorContext(ctx, "request failed", args...)
		return
	}
	a.log.DebugContext(ctx, "request failed", args...)
}
