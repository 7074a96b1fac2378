package app

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/sessions"
)

// metrics is what /metrics of the admin listener shows; docs/operations.md explains each.
// Every label comes from a small set of words that is fixed by the program or by its
// settings: never a JID, a token, a path or anything else that a stranger chooses. It has a
// registry of its own, so that two apps in one process do not meet.
type metrics struct {
	registry *prometheus.Registry

	requests, iqs, redis *prometheus.HistogramVec
	queue                prometheus.Histogram

	events, dropped, resumes, reconnects, refused, owners, forwarded, refusals, uploads, deliveries, tools *prometheus.CounterVec

	uploadBytes prometheus.Counter

	usual map[perch.EventType]prometheus.Counter // of events, found sooner; never changed after begin
}

var (
	_ sessions.Observer = (*metrics)(nil)
	_ api.Observer      = (*metrics)(nil)
)

// Bounds of the histograms, in seconds: a request may wait for a login, an IQ for its
// time limit of 30 s, and one round trip to Redis for 1 s.
var (
	requestBounds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	iqBounds      = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	redisBounds   = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}
	queueBounds   = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256}
)

func newMetrics(version string, logDropped func() uint64) *metrics {
	m := &metrics{
		usual:      map[perch.EventType]prometheus.Counter{},
		registry:   prometheus.NewRegistry(),
		requests:   histogram("perch_http_request_duration_seconds", "Time from a request to its answer; event streams are not among them.", requestBounds, "route", "method", "code"),
		iqs:        histogram("perch_xmpp_iq_duration_seconds", "Time from an XMPP request to its answer, or to the end of waiting for one.", iqBounds, "upstream", "kind", "result"),
		redis:      histogram("perch_redis_duration_seconds", "Time of a round trip to Redis; a commit is one pipeline of many.", redisBounds, "op", "result"),
		events:     counter("perch_events_total", "Durable events that were committed, and ephemeral ones that were published; each once, however many streams carry it.", "type"),
		dropped:    counter("perch_events_dropped_total", "Events that were not sent to a stream, and stanzas that were dropped.", "reason"),
		resumes:    counter("perch_resumes_total", "Event streams that began: resumed, or with snapshots for the reason given.", "result"),
		reconnects: counter("perch_reconnects_total", "Ends of XMPP connections, or of attempts at one, after which another attempt is planned.", "upstream", "reason"),
		refused:    counter("perch_sessions_refused_total", "New sessions that there was no room for, by the limit.", "upstream", "limit"),
		owners:     counter("perch_session_ownership_total", "Changes of who owns a session, among nodes that share a Redis: taken, adopted from a dead node, released for another, or fenced off by one.", "change"),
		forwarded:  counter("perch_forwarded_requests_total", "Requests whose session another node has, by what became of them; refused: pretended to come from a node.", "result"),
		refusals:   counter("perch_connections_refused_total", "Connections that were closed at once: too many in total, or too many of one address.", "reason"),
		uploads:    counter("perch_uploads_total", "Files that went through this node to an upload service, by what became of them.", "result"),
		deliveries: counter("perch_deliveries_total", "Attempts to bring a part of a log to a webhook or a push service, by what became of them; refused: its address may not be dialled.", "kind", "result"),
		tools:      counter("perch_mcp_calls_total", "Tools that agents have called (POST /mcp) on the node of their session, and whether the result was an error.", "tool", "result"),
		uploadBytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "perch_upload_bytes_total", Help: "Bytes of files that have come to this node for an upload service, also of those that did not get there.",
		}),
		queue: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "perch_stream_queue_frames", Help: "Events that waited when a stream came to write them; one that has more than 256 is cut.", Buckets: queueBounds,
		}),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "perch_build_info", Help: "Always 1; says what is running."}, []string{"version", "goversion"})
	build.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(build, m.requests, m.iqs, m.redis, m.queue, m.events, m.dropped, m.resumes, m.reconnects, m.refused, m.owners, m.forwarded, m.refusals, m.uploads, m.uploadBytes, m.deliveries, m.tools,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if logDropped == nil {
		logDropped = func() uint64 { return 0 }
	}
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "perch_log_dropped_total", Help: "Lines of the log that were lost because it was not read in time, or at all.",
	}, func() float64 { return float64(logDropped()) }))
	m.begin()
	return m
}

func histogram(name, help string, bounds []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds}, labels)
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// begin shows counters at zero: a rate misses the first of what appears from nowhere.
func (m *metrics) begin() {
	for _, t := range []perch.EventType{
		perch.EventMessageReceived, perch.EventMessageSent, perch.EventMessageStatus, perch.EventSessionState,
		perch.EventSessionGap, perch.EventDropped, perch.EventPresence, perch.EventChatState,
	} {
		m.usual[t] = m.events.WithLabelValues(string(t))
	}
	for _, reason := range []string{sessions.DroppedSlow, sessions.DroppedPresence, sessions.DroppedChatState, perch.DroppedTooLarge, perch.DroppedTooDeep, perch.DroppedMalformed, perch.DroppedQuarantined,
		perch.DroppedEncrypted, perch.DroppedInvitation, perch.DroppedCall, perch.DroppedUnsupported,
		sessions.DroppedForged, sessions.DroppedUnmatched, sessions.DroppedOverBudget, sessions.DroppedRosterPart, sessions.DroppedNoRoster} {
		m.dropped.WithLabelValues(reason)
	}
	for _, result := range []string{sessions.ResumedStream, sessions.ResetFirst, sessions.ResetExpired, sessions.ResetEpoch, sessions.ResetUnknown} {
		m.resumes.WithLabelValues(result)
	}
	for _, change := range []string{sessions.OwnerTaken, sessions.OwnerAdopted, sessions.OwnerReleased, sessions.OwnerFenced, sessions.OwnerPassed, sessions.OwnerStale, sessions.OwnerFailed} {
		m.owners.WithLabelValues(change)
	}
	for _, reason := range api.RefusedReasons {
		m.refusals.WithLabelValues(reason)
	}
	for _, result := range api.ForwardResults {
		m.forwarded.WithLabelValues(result)
	}
	for _, kind := range []perch.ReaderKind{perch.WebhookReader, perch.PushReader} {
		for _, result := range sessions.DeliveryResults {
			m.deliveries.WithLabelValues(string(kind), result)
		}
	}
	for _, result := range api.UploadResults {
		m.uploads.WithLabelValues(result)
	}
	for _, name := range api.ToolNames() {
		m.tools.WithLabelValues(name, "ok")
		m.tools.WithLabelValues(name, "error")
	}
}

// handler serves the registry; a few scrapes at once are enough.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Request implements api.Observer.
func (m *metrics) Request(route, method string, status int, took time.Duration) {
	code := strconv.Itoa(status)
	if route == "" {
		route = "none"
	}
	if status == 0 {
		code = "cut"
	}
	m.requests.WithLabelValues(route, method, code).Observe(took.Seconds())
}

// closed counts for api.Listener.
func (m *metrics) closed(reason string) { m.refusals.WithLabelValues(reason).Inc() }

// Queue implements api.Observer.
func (m *metrics) Queue(frames int) { m.queue.Observe(float64(frames)) }

// Forwarded implements api.Observer.
func (m *metrics) Forwarded(result string) { m.forwarded.WithLabelValues(result).Inc() }

// Upload implements api.Observer.
func (m *metrics) Upload(result string, bytes int64) {
	m.uploads.WithLabelValues(result).Inc()
	m.uploadBytes.Add(float64(bytes))
}

// Tool implements api.Observer.
func (m *metrics) Tool(name string, failed bool) {
	result := "ok"
	if failed {
		result = "error"
	}
	m.tools.WithLabelValues(name, result).Inc()
}

// Event implements sessions.Observer.
func (m *metrics) Event(t perch.EventType) {
	if c := m.usual[t]; c != nil {
		c.Inc()
		return
	}
	m.events.WithLabelValues(string(t)).Inc()
}

// Dropped implements sessions.Observer.
func (m *metrics) Dropped(reason string, n int) { m.dropped.WithLabelValues(reason).Add(float64(n)) }

// Subscribed implements sessions.Observer.
func (m *metrics) Subscribed(result string) { m.resumes.WithLabelValues(result).Inc() }

// Reconnecting implements sessions.Observer.
func (m *metrics) Reconnecting(upstream, reason string) {
	m.reconnects.WithLabelValues(upstream, reason).Inc()
}

// Refused implements sessions.Observer.
func (m *metrics) Refused(upstream, limit string) { m.refused.WithLabelValues(upstream, limit).Inc() }

// Owner implements sessions.Observer.
func (m *metrics) Owner(change string) { m.owners.WithLabelValues(change).Inc() }

// Delivered implements sessions.Observer.
func (m *metrics) Delivered(kind perch.ReaderKind, result string) {
	m.deliveries.WithLabelValues(string(kind), result).Inc()
}

// iqsOf is the observer of xmppconn for one upstream: the kind of an error is the result.
func (m *metrics) iqsOf(upstream string) func(kind string, d time.Duration, err error) {
	return func(kind string, d time.Duration, err error) {
		result := "ok"
		if err != nil {
			result = string(perch.KindOf(err))
		}
		m.iqs.WithLabelValues(upstream, kind, result).Observe(d.Seconds())
	}
}

// redisTrip is the observer of cache.
func (m *metrics) redisTrip(op string, d time.Duration, err error) {
	result := "ok"
	if err != nil {
		result = "error"
	}
	m.redis.WithLabelValues(op, result).Observe(d.Seconds())
}
