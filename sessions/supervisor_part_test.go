package sessions

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/perch-im/perch"
)

// supervisorWorld is a supervisor without a session: what it asks of its host is written down,
// in order.
type supervisorWorld struct {
	recorder

	su       *supervisor
	pauses   []time.Duration
	at       perch.Time
	online   bool // it was before
	ended    bool
	busy     bool // a login may not begin
	culprits int  // messages that can be quarantined
}

func newSupervisorWorld() *supervisorWorld {
	w := &supervisorWorld{online: true}
	w.su = &supervisor{host: w, journal: w, state: status{state: perch.StateOnline}}
	return w
}

func (w *supervisorWorld) now() perch.Time                        { return w.at }
func (w *supervisorWorld) post(f func())                          { f() }
func (w *supervisorWorld) background(func(context.Context))       {}
func (w *supervisorWorld) over() bool                             { return w.ended }
func (w *supervisorWorld) known() bool                            { return w.online }
func (w *supervisorWorld) ready(func()) bool                      { return !w.busy }
func (w *supervisorWorld) dialSoon()                              { w.note("dial") }
func (w *supervisorWorld) openingDone(err error)                  { w.note("opening done %v", err) }
func (w *supervisorWorld) suspended(reason string)                { w.note("suspended %s", reason) }
func (w *supervisorWorld) reconnecting(reason string)             { w.note("reconnecting %s", reason) }
func (w *supervisorWorld) stateChanged()                          {}
func (w *supervisorWorld) logDebug(string, ...any)                {}
func (w *supervisorWorld) Ephemeral(perch.EventType, string, any) {}
func (w *supervisorWorld) Change() *Commit                        { return &Commit{} }
func (w *supervisorWorld) AfterCommit(func(Result))               {}
func (w *supervisorWorld) Exclusive(Commit, func(Result))         {}
func (w *supervisorWorld) after(d time.Duration, _ func()) *time.Timer {
	w.pauses = append(w.pauses, d)
	return nil
}

func (w *supervisorWorld) Durable(_ perch.EventType, data any) {
	c := data.(perch.StateChange)
	w.note("%s %s", c.State, c.Reason)
}

func (w *supervisorWorld) quarantine() bool {
	w.culprits--
	return w.culprits >= 0
}

// TestSupervisorDecides: what the kind of an error means for a session that was online before,
// and for one that was not.
func TestSupervisorDecides(t *testing.T) {
	for _, tt := range []struct {
		kind     perch.Kind
		state    perch.State
		reason   string
		newState perch.State // of a session that was never online
	}{
		{perch.KindUnauthorized, perch.StateSuspended, perch.ReasonCredentials, perch.StateSuspended},
		{perch.KindForbidden, perch.StateSuspended, perch.ReasonCredentials, perch.StateSuspended},
		{perch.KindValidation, perch.StateSuspended, perch.ReasonConfig, perch.StateSuspended},
		{perch.KindUpstreamConfig, perch.StateReconnecting, perch.ReasonConfig, perch.StateSuspended},
		{perch.KindRedirectRefused, perch.StateSuspended, perch.ReasonRedirect, perch.StateSuspended},
		{perch.KindUpstreamTLS, perch.StateReconnecting, perch.ReasonTLS, perch.StateSuspended},
		{perch.KindStreamConflict, perch.StateReconnecting, perch.ReasonConflict, perch.StateConnecting},
		{perch.KindPolicy, perch.StateReconnecting, perch.ReasonPolicy, perch.StateConnecting},
		{perch.KindTryLater, perch.StateReconnecting, perch.ReasonTryLater, perch.StateConnecting},
		{perch.KindLinkLost, perch.StateReconnecting, perch.ReasonLinkLost, perch.StateConnecting},
		{perch.KindUpstreamTimeout, perch.StateReconnecting, perch.ReasonLinkLost, perch.StateConnecting},
	} {
		for _, online := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, online before %v", tt.kind, online), func(t *testing.T) {
				w := newSupervisorWorld()
				want := tt.state
				if w.online = online; !online {
					w.su.state.state, want = perch.StateConnecting, tt.newState
				}
				w.su.failed(perch.Errorf(tt.kind, "x"))
				if got := w.su.state; got.state != want || got.reason != tt.reason {
					t.Errorf("state: got %s (%s), want %s (%s)", got.state, got.reason, want, tt.reason)
				}
				if planned := len(w.pauses) > 0; planned != (want != perch.StateSuspended) {
					t.Errorf("got another attempt planned %v, want it unless suspended, in state %s", planned, want)
				}
			})
		}
	}
}

// TestSupervisorBacksOff: pauses are drawn from a range that doubles to a minute; a connection
// that lasted begins anew, and a server may ask for more time.
func TestSupervisorBacksOff(t *testing.T) {
	w := newSupervisorWorld()
	lost := perch.Errorf(perch.KindLinkLost, "x")
	for i, top := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		w.su.failed(lost)
		if d := w.pauses[i]; d < 0 || d > top*time.Second {
			t.Errorf("pause %d: got %v, want at most %v", i, d, top*time.Second)
		}
	}
	if w.su.lasted(59 * time.Second); w.su.attempt != 8 {
		t.Errorf("after a short connection: got %d attempts, want 8", w.su.attempt)
	}
	if w.su.lasted(time.Minute); w.su.attempt != 0 {
		t.Errorf("after a long connection: got %d attempts, want 0", w.su.attempt)
	}
	for _, tt := range []struct{ asked, want time.Duration }{{90 * time.Second, 90 * time.Second}, {time.Hour, 10 * time.Minute}} {
		w.su.failed(&perch.Error{Kind: perch.KindTryLater, RetryAfter: tt.asked})
		if d := w.pauses[len(w.pauses)-1]; d != tt.want {
			t.Errorf("asked to wait for %v: got a pause of %v, want %v", tt.asked, d, tt.want)
		}
	}
}

// TestSupervisorGivesUp: three conflicts in ten minutes, or three refusals without a message to
// quarantine, suspend a session.
func TestSupervisorGivesUp(t *testing.T) {
	for _, tt := range []struct {
		name     string
		kind     perch.Kind
		every    time.Duration
		culprits int
		want     int // failures until it is suspended; 0: never
	}{
		{"conflicts", perch.KindStreamConflict, time.Minute, 0, 3},
		{"conflicts now and then", perch.KindStreamConflict, 6 * time.Minute, 0, 0},
		{"refusals", perch.KindPolicy, time.Minute, 0, 3},
		{"refusals of two messages", perch.KindPolicy, time.Minute, 2, 5},
		{"lost links", perch.KindLinkLost, time.Minute, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newSupervisorWorld()
			w.culprits = tt.culprits
			got := 0
			for i := 1; i <= 10 && got == 0; i++ {
				w.at += perch.Time(tt.every.Milliseconds())
				if w.su.failed(perch.Errorf(tt.kind, "x")); w.su.state.state == perch.StateSuspended {
					got = i
				}
			}
			if got != tt.want {
				t.Errorf("got suspended after %d failures, want %d", got, tt.want)
			}
		})
	}
}

// TestSupervisorConnects: one login at a time, none at the end, and a suspended session publishes
// that it tries.
func TestSupervisorConnects(t *testing.T) {
	w := newSupervisorWorld()
	w.su.state = status{state: perch.StateSuspended, reason: perch.ReasonConfig}
	w.su.reconnect()
	w.su.reconnect()
	w.want(t, "reconnecting config", "dial")
	w.su.dialling, w.busy = false, true
	w.su.reconnect()
	w.want(t)
	w.busy, w.ended = false, true
	w.su.reconnect()
	w.su.failed(perch.Errorf(perch.KindLinkLost, "x"))
	w.want(t)
}

// TestSupervisorAnswers: callers that wait for an attempt get its result, once.
func TestSupervisorAnswers(t *testing.T) {
	w := newSupervisorWorld()
	result := make(chan error, 2)
	w.su.waiting = append(w.su.waiting, result)
	w.su.failed(perch.Errorf(perch.KindUnauthorized, "no"))
	w.su.failed(perch.Errorf(perch.KindLinkLost, "x"))
	if err := <-result; perch.KindOf(err) != perch.KindUnauthorized || len(result) != 0 {
		t.Errorf("answer: got error %v and %d more, want unauthorized and none", err, len(result))
	}
}
