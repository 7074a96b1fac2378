package app

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/sessions"
	"github.com/perch-im/perch/xmppconn"
)

var sessionStates = []perch.State{perch.StateConnecting, perch.StateOnline, perch.StateReconnecting, perch.StateSuspended, perch.StateClosed}

// watchSessions shows the manager's sessions, asked for at every scrape.
func (m *metrics) watchSessions(manager *sessions.Manager, limit int) {
	perState := prometheus.NewDesc("perch_sessions", "Sessions of this node by state.", []string{"state"}, nil)
	m.registry.MustRegister(
		prometheus.CollectorFunc(func(ch chan<- prometheus.Metric) {
			n := manager.States()
			for _, s := range sessionStates {
				ch <- prometheus.MustNewConstMetric(perState, prometheus.GaugeValue, float64(n[s]), string(s))
			}
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "perch_sessions_limit", Help: "Most sessions on this node (--max-sessions)."},
			func() float64 { return float64(limit) }),
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
	{"sign_in_failures", "XMPP logins that failed.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.SignInFailures }},
	{"resumes", "Streams that went on after a cut (XEP-0198).", func(c *xmppconn.Counters) *atomic.Int64 { return &c.Resumes }},
	{"resumes_failed", "Streams that the server would not resume.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.ResumesFailed }},
	{"redirects", "Redirects (see-other-host) that were followed.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.Redirects }},
	{"frames_in", "Whole elements that were read from XMPP streams.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.FramesIn }},
	{"stanzas_out", "Stanzas that were queued for XMPP streams.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.StanzasOut }},
	{"writes", "Writes to XMPP streams; what waits goes out together.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.Writes }},
	{"pings", "Pings of the keepalive.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.Pings }},
	{"forged_answers", "IQ answers that came from somebody who was not asked; ignored.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.ForgedAnswers }},
	{"forged_pushes", "Roster pushes that were not of the own account; ignored.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.ForgedPushes }},
	{"forged_other", "Carbons and archive results that were not of the own account; ignored.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.ForgedOther }},
	{"stray_answers", "IQ answers that nobody waited for: late, or made up.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.StrayAnswers }},
	{"skipped", "Stanzas over a limit.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.Skipped }},
	{"malformed", "Elements that were not sound stanzas.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.Malformed }},
	{"replies_shed", "Answers to requests of others that were left out because the queue was full.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.RepliesShed }},
	{"panics", "Faults of ours that were caught.", func(c *xmppconn.Counters) *atomic.Int64 { return &c.Panics }},
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
}
