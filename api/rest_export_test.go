package api

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/strictjson"
)

// What the external tests may see of the inside: the parsers of foreign bytes.

var (
	ParseCursor    = parseCursor
	MakeCursor     = makeCursor
	VCardText      = vcardText
	SniffPhoto     = sniffPhoto
	IdempotencyKey = idempotencyKey
	Negotiate      = negotiate
	CheckMediaType = checkMediaType
)

type (
	MessageRequest = messageRequest
	BuddyRequest   = buddyRequest
)

func DecodeMessage(b []byte) (m MessageRequest, err error) {
	err = strictjson.Decode(b, &m)
	return m, err
}
func DecodeBuddy(b []byte) (m BuddyRequest, err error) { err = strictjson.Decode(b, &m); return m, err }
func DecodePresence(b []byte) (perch.OwnPresence, error) {
	var m ownPresenceRequest
	if err := strictjson.Decode(b, &m); err != nil {
		return perch.OwnPresence{}, err
	}
	return m.checked()
}

// DecodeCommand does with a frame of a socket what is done before its command runs.
func DecodeCommand(b []byte) error {
	var c command
	err := strictjson.Decode(b, &c)
	if err != nil {
		refOf(b)
		return err
	}
	return decodeData(c, &struct{}{})
}

// PathJID sends a request for /x/<escaped>/y through the router's path handling.
func PathJID(escaped string) (jid perch.JID, routed bool, err error) {
	u, err := url.ParseRequestURI("/x/" + escaped + "/y")
	if err != nil {
		return "", false, nil
	}
	m := chi.NewRouter()
	m.Use(withEscapedPath)
	m.Get("/x/{jid}/y", func(_ http.ResponseWriter, r *http.Request) {
		routed = true
		jid, err = pathJID(r)
	})
	m.ServeHTTP(httptest.NewRecorder(), &http.Request{Method: "GET", URL: u, Header: http.Header{}})
	return jid, routed, err
}

// ProblemOf is problemOf for an error outside of a request.
func ProblemOf(err error) Problem { return problemOf(nil, err) }

// RetryAfter is what the Retry-After header would say.
func (p Problem) RetryAfter() time.Duration { return p.retryAfter }

// Slugs lists the problems that have a page.
func Slugs() (slugs []string) {
	for slug := range problemDocs {
		slugs = append(slugs, string(slug))
	}
	return slugs
}

// SetClock replaces the clock of all limits.
func (a *API) SetClock(now func() time.Time) {
	for _, l := range []*limiter{a.settings().limits.ip, a.settings().limits.token} {
		l.now = now
	}
	limits := a.settings().limits
	for _, l := range slices.AppendSeq([]*attempts{limits.signIn, limits.account}, maps.Values(limits.accounts)) {
		l.now = now
	}
}

// WithTrace is the middleware that follows requests.
func (a *API) WithTrace(next http.Handler) http.Handler { return a.withTrace(next) }

// TakeUploadPlaces takes all places for files that pass through this node; free gives one back.
func (a *API) TakeUploadPlaces() (free func()) {
	for range uploadsAtOnce {
		free, _ = a.uploads.take()
	}
	return free
}
