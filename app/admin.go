package app

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/docs"
	"github.com/perch-im/perch/web"
	"github.com/perch-im/perch/xmppconn"
)

// minAdminToken is how many characters the admin token has at least: it is one that nobody guesses,
// so that attempts need no limit.
const minAdminToken = 32

// admin is what the operator's API asks of the process.
func (a *App) admin() api.AdminOptions {
	return api.AdminOptions{
		Name: a.nodeName, Labels: func() map[string]string { return a.options().Labels }, Level: a.o.Level, Upstreams: a.upstreamReports,
		Drain: a.drainByCall, Resume: a.resumeByCall, Pages: web.Admin(), OpenAPI: docs.AdminOpenAPI,
	}
}

// upstreamReports says what became of the logins of each upstream.
func (a *App) upstreamReports() []api.UpstreamReport {
	var list []api.UpstreamReport
	table, loads, o := *a.live.upstreams.Load(), a.manager.LoginLoads(), a.options()
	for _, name := range slices.Sorted(maps.Keys(table)) {
		u := table[name]
		c := u.dialer.Counters()
		r := api.UpstreamReport{Name: name, Domain: u.info.Domain, Profile: u.profile, SignIns: c.SignIns.Load(), Resumes: c.Resumes.Load(),
			Running: loads[name].Running, Waiting: loads[name].Waiting, Labels: u.config.Labels, Tokens: api.UpstreamTokens{Taken: u.info.TokenBearer, Prefix: u.config.TokenPrefix, Default: name == o.DefaultUpstream},
			Limits: u.config.UpstreamLimits.effective(o)}
		for _, cause := range perch.Causes {
			if n := c.SignInFailures.Of(cause); n > 0 {
				r.Failures = append(r.Failures, api.CauseCount{Cause: cause, Count: n})
			}
		}
		slices.SortFunc(r.Failures, func(x, y api.CauseCount) int {
			return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Cause, y.Cause))
		})
		r.LastFailure, r.Logins = a.logins.of(name)
		list = append(list, r)
	}
	return list
}

// recentLogins is how many durations of logins are remembered for each upstream.
const recentLogins = 100

// loginHistory is what operators see of the logins at each upstream. Upstreams are configured, so
// the tables are bounded.
type loginHistory struct {
	mu     sync.Mutex
	failed map[string]api.LoginFailure
	took   map[string][]time.Duration // the last ones that succeeded
	next   map[string]int             // the place of the oldest one
}

func newLoginHistory() *loginHistory {
	return &loginHistory{failed: map[string]api.LoginFailure{}, took: map[string][]time.Duration{}, next: map[string]int{}}
}

// fail notes the last login that failed.
func (h *loginHistory) fail(upstream string, x xmppconn.Failure) {
	text := x.Err.Error()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failed[upstream] = api.LoginFailure{
		Cause: x.Cause, At: perch.At(time.Now()), Target: x.Target, Error: text[:min(len(text), warnBytes)], Advice: xmppconn.Advice(x.Cause),
	}
}

// succeed notes how long a login took.
func (h *loginHistory) succeed(upstream string, took time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.took[upstream]) < recentLogins {
		h.took[upstream] = append(h.took[upstream], took)
		return
	}
	h.took[upstream][h.next[upstream]] = took
	h.next[upstream] = (h.next[upstream] + 1) % recentLogins
}

// of is what is known of an upstream.
func (h *loginHistory) of(upstream string) (last *api.LoginFailure, t api.LoginTimes) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f, ok := h.failed[upstream]; ok {
		last = &f
	}
	var sum time.Duration
	for _, d := range h.took[upstream] {
		sum += d
		t.Max = max(t.Max, d.Milliseconds())
	}
	if t.Count = len(h.took[upstream]); t.Count > 0 {
		t.Mean = (sum / time.Duration(t.Count)).Milliseconds()
	}
	return last, t
}

// callDrain is a drain that an operator has asked for; Stop ends it.
type callDrain struct {
	mu       sync.Mutex
	cancel   context.CancelFunc // nil: there is none
	done     chan struct{}      // closed when its goroutine has ended
	stopping bool               // the process stops: none begins any more, and none is taken back
}

// drainByCall begins a drain, unless one is under way or the process stops. The node stays drained until
// resumeByCall.
func (a *App) drainByCall() {
	d := &a.called
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopping || d.cancel != nil || a.draining.Load() != 0 {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	d.cancel, d.done = cancel, done
	a.beginDrain()
	go func() {
		defer close(done)
		a.drain(ctx)
		a.manager.HandOverQuiet(ctx, time.Second) // those whose streams are closed by now
	}()
}

// resumeByCall ends what drainByCall began: the streams that it has not closed yet are closed at
// once. It does nothing once the process stops.
func (a *App) resumeByCall() {
	d := &a.called
	d.mu.Lock()
	cancel, done := d.cancel, d.done
	d.mu.Unlock()
	if cancel == nil {
		return
	}
	cancel()
	<-done
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopping || d.cancel == nil || d.done != done {
		return // or another call was quicker
	}
	d.cancel = nil
	a.manager.Resume()
	a.api.Resume()
	a.draining.Store(0)
}

// stopCalledDrain is for Stop, which drains by itself from then on. It waits for the goroutine.
func (a *App) stopCalledDrain() {
	d := &a.called
	d.mu.Lock()
	d.stopping = true
	cancel, done := d.cancel, d.done
	d.mu.Unlock()
	if cancel != nil {
		cancel()
		<-done
	}
}
