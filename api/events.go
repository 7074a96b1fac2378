package api

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/strictjson"
	"github.com/perch-im/perch/sessions"
)

// Media types of GET /v1/events.
const (
	mediaSSE    = "text/event-stream"
	mediaNDJSON = "application/x-ndjson"
)

// maxWait is how long a poll may wait, in seconds.
const maxWait = 60

// handleEvents is the event stream in the encodings that plain HTTP can carry.
//
//	@ID				streamEvents
//	@Summary		The event stream: long poll, NDJSON or SSE
//	@Description	Accept chooses: application/json is a long poll, application/x-ndjson one envelope a line, text/event-stream SSE. Every durable event has an id; a request with the last one as since (or Last-Event-ID, SSE only; in the query as lastEventId) resumes after it.
//	@Tags			events
//	@Produce		json
//	@Param			since			query		string	false	"id of the last durable event that was handled"
//	@Param			types			query		string	false	"event types to send, with commas: exact names, message.*, or * for all but stanza"
//	@Param			conversations	query		string	false	"conversations to send the events of, with commas: JIDs, * or none"
//	@Param			wait			query		int		false	"long poll: seconds to wait for the first event, 0 to 60"
//	@Param			limit			query		int		false	"long poll: most events in the answer, 1 to 200"
//	@Param			Last-Event-ID	header		string	false	"SSE: takes precedence over since"
//	@Param			lastEventId		query		string	false	"SSE: the same as the header, for EventSource polyfills; the header takes precedence"
//	@Success		200				{object}	Poll
//	@Failure		401				{object}	Problem
//	@Failure		422				{object}	Problem
//	@Failure		429				{object}	Problem
//	@Failure		503				{object}	Problem
//	@Security		BearerAuth
//	@Router			/v1/events [get]
func (a *API) handleEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept")
	media := streamMedia(r)
	read := eventQueryOf
	if media == mediaSSE {
		read = sseQueryOf
	}
	sess := sessionFrom(r.Context())
	q, err := read(r, sess, "since", "types*", "conversations*", "wait", "limit")
	if err != nil {
		a.writeProblem(w, r, err)
		return
	}
	o := sessions.SubscribeOptions{Since: resumePoint(r, media, q), Types: q.types, Conversations: q.conversations, NoPreamble: media == ""}
	st, err := a.openStream(r, accessFrom(r.Context()), transportOf(media), o)
	if err != nil {
		a.writeProblem(w, r, err)
		return
	}
	switch media {
	case mediaSSE:
		a.serveLines(w, r, st, sseEncoding)
	case mediaNDJSON:
		a.serveLines(w, r, st, ndjsonEncoding)
	default:
		defer st.close()
		a.servePoll(w, r, st, q)
	}
}

// transportOf is the name of the encoding in metrics and logs.
func transportOf(media string) string {
	switch media {
	case mediaSSE:
		return "sse"
	case mediaNDJSON:
		return "ndjson"
	}
	return "poll"
}

// streamMedia picks the encoding by Accept; "" is JSON. A stream does not end, so a client
// must have asked for one: by its type, by its group where JSON is not in it, or by refusing
// JSON. A plain */* gets a long poll, which ends.
func streamMedia(r *http.Request) string {
	ranges := acceptOf(r)
	best, preferred := "", preferenceFor(ranges, "application/json")
	refused := preferred.q == 0 && preferred.precision != matchNone
	for _, media := range []string{mediaSSE, mediaNDJSON} {
		p := preferenceFor(ranges, media)
		if p.over(preferred) && (p.precision > matchAny || refused) {
			best, preferred = media, p
		}
	}
	return best
}

// resumePoint is where a stream begins. An EventSource repeats the id of its last event in a
// header, or, when it is a polyfill that avoids headers which need a preflight, as a
// parameter that it adds to the address. Both are newer than the since in that address.
func resumePoint(r *http.Request, media string, q eventQuery) string {
	if media != mediaSSE {
		return q.since
	}
	return cmp.Or(r.Header.Get("Last-Event-ID"), q.lastEventID, q.since)
}

// isLastEventID reports whether a query parameter is what a polyfill calls the id of its
// last event: lastEventId (Yaffle's event-source-polyfill), evs_last_event_id (amvtek's
// eventsource-polyfill), lastEventID and Last-Event-ID (Mercure).
func isLastEventID(name string) bool {
	plain := strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
	return plain == "lasteventid" || plain == "evslasteventid"
}

// sseQueryOf is eventQueryOf for SSE, where the id of the last event may be in the query,
// once, in any spelling.
func sseQueryOf(r *http.Request, sess *sessions.Session, allowed ...string) (eventQuery, error) {
	name := ""
	for n := range r.URL.Query() {
		if !isLastEventID(n) {
			continue
		}
		if name != "" {
			return eventQuery{}, perch.Invalid("?"+strictjson.EscapePointer(n), "must not be repeated: %s is the same parameter", quoteShort(name))
		}
		name = n
	}
	if name == "" {
		return eventQueryOf(r, sess, allowed...)
	}
	q, err := eventQueryOf(r, sess, append(allowed, name)...)
	q.lastEventID = r.URL.Query().Get(name)
	return q, err
}

// eventQuery has the parameters of GET /v1/events and /v1/events/ws.
type eventQuery struct {
	since string
	// lastEventID is set only with SSE; see resumePoint.
	lastEventID string
	streamFilter
	wait  time.Duration
	limit int
}

// eventQueryOf reads the query of a stream of a session, which may have only the named parameters. A
// cursor is never refused: one that cannot be resumed is answered by a reset, in the same way as a
// first connection.
func eventQueryOf(r *http.Request, sess *sessions.Session, allowed ...string) (q eventQuery, err error) {
	v, err := queryOf(r, allowed...)
	if err != nil {
		return q, err
	}
	q.since = v.Get("since")
	if q.types, err = typesOf("?types", v["types"]); err != nil {
		return q, err
	}
	if q.conversations, err = conversationsOf(sess, "?conversations", v["conversations"]); err != nil {
		return q, err
	}
	if v.Has("wait") {
		n, err := strconv.Atoi(v.Get("wait"))
		if err != nil || n < 0 || n > maxWait {
			return q, perch.Invalid("?wait", "must be a whole number of seconds from 0 to %d", maxWait)
		}
		q.wait = time.Duration(n) * time.Second
	}
	q.limit, err = limitOf(v)
	return q, err
}

// quoteShort quotes text of the client, shortened, for an answer to it.
func quoteShort(s string) string {
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "..."
	}
	return fmt.Sprintf("%q", s)
}
