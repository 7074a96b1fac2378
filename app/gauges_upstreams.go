package app

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/perch-im/perch/sessions"
)

// refusedLimits are the limits that a new session may be over, for the metric.
var refusedLimits = []string{sessions.LimitNode, sessions.LimitUpstream, sessions.LimitAccount, sessions.LimitAddress, sessions.LimitLoginRate}

// watchUpstreams shows what operators have said of this node and its upstreams: names and limits of the
// configuration, so that all of it may be labels.
func (m *metrics) watchUpstreams(a *App) {
	limit := prometheus.NewDesc("perch_upstream_sessions_limit", "Most sessions of the upstream on this node (max-sessions of the upstream); 0: none of its own.", []string{"upstream"}, nil)
	running := prometheus.NewDesc("perch_upstream_logins_running", "Logins at the upstream that are under way.", []string{"upstream"}, nil)
	waiting := prometheus.NewDesc("perch_upstream_logins_waiting", "Logins at the upstream that wait for their turn (logins, login-rate).", []string{"upstream"}, nil)
	m.registry.MustRegister(prometheus.CollectorFunc(func(ch chan<- prometheus.Metric) {
		loads := a.manager.LoginLoads()
		for name, u := range *a.live.upstreams.Load() {
			ch <- prometheus.MustNewConstMetric(limit, prometheus.GaugeValue, float64(u.config.MaxSessions), name)
			ch <- prometheus.MustNewConstMetric(running, prometheus.GaugeValue, float64(loads[name].Running), name)
			ch <- prometheus.MustNewConstMetric(waiting, prometheus.GaugeValue, float64(loads[name].Waiting), name)
		}
	}), undescribed(a.collectInfo))
}

// undescribed is a collector of metrics whose label names change with the configuration, and which can be
// collected once the app has started.
type undescribed func(chan<- prometheus.Metric)

// Describe implements prometheus.Collector.
func (undescribed) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (f undescribed) Collect(ch chan<- prometheus.Metric) { f(ch) }

// collectInfo makes the info metrics of this node and of its upstreams, with their labels.
func (a *App) collectInfo(ch chan<- prometheus.Metric) {
	send := func(name, help string, fixed prometheus.Labels, keys []string, l Labels) {
		names, values := slices.Sorted(maps.Keys(fixed)), []string(nil)
		for _, k := range names {
			values = append(values, fixed[k])
		}
		for _, k := range keys { // all series of one name have the same
			names, values = append(names, "label_"+k), append(values, l[k])
		}
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, names, nil), prometheus.GaugeValue, 1, values...)
	}
	own := a.options().Labels
	send("perch_node_info", "Always 1; the name of this node, and what its operators call it.",
		prometheus.Labels{"node": a.nodeName()}, slices.Sorted(maps.Keys(own)), own)
	table, keys := *a.live.upstreams.Load(), map[string]bool{}
	for _, u := range table {
		for k := range u.config.Labels {
			keys[k] = true
		}
	}
	for name, u := range table {
		send("perch_upstream_info", "Always 1; an upstream, and what its operators call it.",
			prometheus.Labels{"upstream": name, "domain": u.info.Domain, "profile": u.profile}, slices.Sorted(maps.Keys(keys)), u.config.Labels)
	}
}
