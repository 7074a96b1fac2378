package app

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/sessions"
	"github.com/perch-im/perch/xmppconn"
)

var sessionStates = []perch.State{perch.StateConnecting, perch.StateOnline, perch.StateReconnecting, perch.StateSuspended, perch.StateClosed}

// watchSessions shows the manager's sessions, asked for at every scrape.
func (m *metrics) watchSessions(a *App) {
	perState, manager := prometheus.NewDesc("perch_sessions", "Sessions of this node by upstream and state.", []string{"upstream", "state"}, nil), a.manager
	m.registry.MustRegister(
		prometheus.CollectorFunc(func(ch chan<- prometheus.Metric) {
			n := manager.StatesOf()
			for name := range *a.live.upstreams.Load() {
				if n[name] == nil {
					n[name] = nil // shown with nothing
				}
			}
			for name, states := range n { // one that is removed may have some left
				for _, s := range sessionStates {
					ch <- prometheus.MustNewConstMetric(perState, prometheus.GaugeValue, float64(states[s]), name, string(s))
				}
			}
		}),
		gauge("perch_sessions_limit", "Most sessions on this node (--max-sessions).", func() float64 { return float64(a.options().MaxSessions) }),
		gauge("perch_sessions_held_back", "Sessions that take nothing in because the store takes no writes.",
			func() float64 { return float64(manager.Backlog().HeldBack) }),
		gauge("perch_sessions_to_restore", "Stored sessions that this node has still to look at, after its start or the death of another node.",
			func() float64 { return float64(manager.Recovering()) }),
		gauge("perch_outbox_messages", "Accepted messages that are not yet known to be with their XMPP server.",
			func() float64 { return float64(manager.Backlog().Outbox) }),
		gauge("perch_deliveries_running", "Deliveries to webhooks and push services that are under way.", func() float64 {
			running, _ := manager.Deliveries()
			return float64(running)
		}),
		gauge("perch_deliveries_waiting", "Webhooks and push subscriptions that wait for their turn.", func() float64 {
			_, waiting := manager.Deliveries()
			return float64(waiting)
		}),
	)
}

// watchRooms shows the rooms that the sessions of this node are in.
func (m *metrics) watchRooms(manager *sessions.Manager) {
	m.registry.MustRegister(
		gauge("perch_rooms", "Rooms that sessions of this node are in.", func() float64 { return float64(manager.Occupants().Rooms) }),
		gauge("perch_rooms_unshared", "Of these, rooms that tell their occupants different things, and whose list each session keeps for itself.",
			func() float64 { return float64(manager.Occupants().Unshared) }),
		gauge("perch_room_occupants", "Occupants of these rooms that this node knows of, each once.",
			func() float64 { return float64(manager.Occupants().Occupants) }),
		gauge("perch_room_occupants_bytes", "Memory that the lists of occupants take, by estimate.",
			func() float64 { return float64(manager.Occupants().Bytes) }),
		counted("perch_room_occupants_left_out_total", "Presences of occupants for which the lists had no place.",
			func() float64 { return float64(manager.Occupants().LeftOut) }),
		counted("perch_room_contradictions_total", "Rooms that were found to tell their occupants different things.",
			func() float64 { return float64(manager.Occupants().Contradictions) }),
	)
}

func counted(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value)
}

func gauge(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}

// storeLook bounds the question to the store in a scrape, which must get its answer.
const storeLook = time.Second

// watchNode shows how this node stands among the others, and with what they share.
func (m *metrics) watchNode(manager *sessions.Manager, store sessions.Store, draining *atomic.Int64) {
	m.registry.MustRegister(
		gauge("perch_nodes", "Nodes that share the store and are alive, as far as this one knows; itself included.", func() float64 {
			n, _ := manager.Nodes()
			return float64(n)
		}),
		gauge("perch_node_beat_age_seconds", "Time since this node renewed its lease; 0 without other nodes.", func() float64 {
			_, age := manager.Nodes()
			return age.Seconds()
		}),
		gauge("perch_store_up", "1 while the store takes writes, else 0.", func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), storeLook)
			defer cancel()
			if store.Healthy(ctx) != nil {
				return 0
			}
			return 1
		}),
		gauge("perch_draining_seconds", "Time since this node began to drain; 0 while it does not.", func() float64 {
			since := draining.Load()
			if since == 0 {
				return 0
			}
			return time.Since(time.Unix(0, since)).Seconds()
		}),
	)
}

// watchStreams shows the open event streams.
func (m *metrics) watchStreams(a *api.API) {
	perTransport := prometheus.NewDesc("perch_streams", "Open event streams by transport.", []string{"transport"}, nil)
	m.registry.MustRegister(prometheus.CollectorFunc(func(ch chan<- prometheus.Metric) {
		for transport, n := range a.Streams() {
			ch <- prometheus.MustNewConstMetric(perTransport, prometheus.GaugeValue, float64(n), transport)
		}
	}))
}

// xmppCounters are the metrics of xmppconn.Counters, one for each field.
var xmppCounters = []struct {
	name, help string
	of         func(*xmppconn.Counters) *atomic.Int64
}{
	{"sign_ins", "XMPP logins that succeeded.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.SignIns }},
	{"sign_ins_canceled", "XMPP logins that were given up here before they ended: the session ended, or moved.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.SignInsCanceled }},
	{"token_sign_ins", "XMPP logins with a token of an earlier login in place of the password (XEP-0484).", func(c *xmppconn.Counters) *atomic.Int64 { return &c.TokenSignIns }},
	{"tokens_refused", "Tokens of earlier logins that the server did not take, so that the password signed in.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.TokensRefused }},
	{"steps_skipped", "Optional steps of XMPP logins that had no answer; the feature is missing then.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.StepsSkipped }},
	{"resumes", "Streams that were resumed (XEP-0198).", func(c *xmppconn.Counters) *atomic.Int64 { return &c.Resumes }},
	{"resumes_failed", "Streams that the server refused to resume.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.ResumesFailed }},
	{"redirects", "Redirects (see-other-host) that were followed.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.Redirects }},
	{"frames_in", "Whole elements that were read from XMPP streams.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.FramesIn }},
	{"stanzas_out", "Stanzas that were queued for XMPP streams.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.StanzasOut }},
	{"writes", "Writes to XMPP streams; what waits goes out together.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.Writes }},
	{"pings", "Pings of the keepalive.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.Pings }},
	{"parks", "Times that a silent connection gave its goroutine back.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.Parks }},
	{"forged_answers", "IQ answers from an address that was not asked; ignored.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.ForgedAnswers }},
	{"forged_pushes", "Roster pushes that were not of the own account; ignored.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.ForgedPushes }},
	{"forged_other", "Carbons and archive results that were not of the own account; ignored.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.ForgedOther }},
	{"silent", "Messages and presences with nothing to show: signals of other features, empty ones.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.Silent }},
	{"stanzas_left_out", "Stanzas that clients asked for (types=stanza) and did not get: too many, or too long.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.StanzasLeftOut }},
	{"stray_answers", "IQ answers without a request that waits for them: late, or forged.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.StrayAnswers }},
	{"skipped", "Stanzas that were dropped because they exceed a limit.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.Skipped }},
	{"malformed", "Elements that are no valid stanzas.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.Malformed }},
	{"replies_shed", "Answers to requests of others that were dropped because the queue was full.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.RepliesShed }},
	{"panics", "Panics that were recovered.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.Panics }},
}

// watchUpstream shows what was counted on the connections of an upstream. Its name is one
// of the settings, so it may be a label.
func (m *metrics) watchUpstream(name string, c *xmppconn.Counters) {
	for _, x := range xmppCounters {
		value := x.of(c)
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "perch_xmpp_" + x.name + "_total", Help: x.help, ConstLabels: prometheus.Labels{"upstream": name},
		}, func() float64 { return float64(value.Load()) }))
	}
	m.watchFailures(name, c)
	for _, reason := range []string{perch.ReasonLinkLost, perch.ReasonConflict, perch.ReasonPolicy, perch.ReasonTLS, perch.ReasonTryLater, perch.ReasonConfig} {
		m.reconnects.WithLabelValues(name, reason)
	}
	for _, limit := range refusedLimits {
		m.refused.WithLabelValues(name, limit)
	}
}

// watchFailures shows the failed logins of an upstream by their cause; each is there from the
// start, because a rate misses the first of what appears from nowhere.
func (m *metrics) watchFailures(name string, c *xmppconn.Counters) {
	d := prometheus.NewDesc("perch_xmpp_sign_in_failures_total", "XMPP logins that failed, by cause.", []string{"cause"}, prometheus.Labels{"upstream": name})
	m.registry.MustRegister(describedCollector{d, func(ch chan<- prometheus.Metric) {
		for _, cause := range perch.Causes {
			ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(c.SignInFailures.Of(cause)), string(cause))
		}
	}})
}

// describedCollector is a CollectorFunc that names its metric beforehand, so that two with other
// constant labels may be registered.
type describedCollector struct {
	desc    *prometheus.Desc
	collect func(chan<- prometheus.Metric)
}

// Describe implements prometheus.Collector.
func (c describedCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

// Collect implements prometheus.Collector.
func (c describedCollector) Collect(ch chan<- prometheus.Metric) { c.collect(ch) }

// watchConnections shows the connections of the gateway's listener.
func (m *metrics) watchConnections(open, limit func() int) {
	m.registry.MustRegister(
		gauge("perch_connections", "Open connections of the gateway's listener.", func() float64 { return float64(open()) }),
		gauge("perch_connections_limit", "Most of them (--connections); 0: no bound is known.", func() float64 { return float64(limit()) }),
	)
}
