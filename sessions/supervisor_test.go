package sessions_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// refuse lets every login fail with err; nil lets them in.
func (w *world) refuse(err error) {
	w.up.Edit(func(d *fakexmpp.Data) {
		if d.SignIn = nil; err != nil {
			d.SignIn = func(context.Context, sessions.DialRequest) (perch.Login, error) { return perch.Login{}, err }
		}
	})
}

func TestLostLinkReconnects(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		w.conn().Fail(linkLost)
		evs := c.wantTypes(perch.EventSessionState)
		var st perch.StateChange
		evs[0].into(t, &st)
		if st.State != perch.StateReconnecting || st.Previous != perch.StateOnline || st.Reason != perch.ReasonLinkLost || st.RetryAt == 0 {
			t.Errorf("session.state: got %+v, want reconnecting from online, link lost, with a retry", st)
		}
		if in := time.Until(st.RetryAt.Time()); in > time.Second {
			t.Errorf("got the first attempt in %v, want within a second", in)
		}
		if info := s.Info(); info.State != perch.StateReconnecting || info.RetryAt != st.RetryAt {
			t.Errorf("Info: got %+v, want reconnecting with the retry at %v", info, st.RetryAt)
		}
		pass(2 * time.Second)
		evs = c.wantTypes(perch.EventSessionGap, perch.EventSessionState)
		evs[1].into(t, &st)
		if st.State != perch.StateOnline || st.Previous != perch.StateReconnecting || st.Resumed {
			t.Errorf("session.state: got %+v, want online from reconnecting, not resumed", st)
		}
	})
}

// The back-off grows to a minute, is jittered, and one state change is one event.
func TestBackoff(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		w.refuse(linkLost)
		w.conn().Fail(linkLost)
		before := w.up.logins()
		longest, last := time.Duration(0), time.Now()
		for range 60 {
			synctest.Wait()
			at := s.Info().RetryAt
			d := time.Until(at.Time())
			longest = max(longest, d)
			if d > time.Minute {
				t.Fatalf("got a pause of %v, want at most a minute", d)
			}
			pass(d + 2*time.Millisecond)
		}
		synctest.Wait()
		if n := w.up.logins() - before; n < 55 {
			t.Errorf("got %d attempts, want 55 at least", n)
		}
		if longest < 20*time.Second || time.Since(last) < 5*time.Minute {
			t.Errorf("got %v as the longest pause in %v, want 20s at least", longest, time.Since(last))
		}
		c.wantTypes(perch.EventSessionState)
		w.refuse(nil)
		pass(time.Minute)
		if st := s.Info().State; st != perch.StateOnline {
			t.Errorf("Info: got state %s, want online", st)
		}
	})
}

func TestVerdicts(t *testing.T) {
	for kind, want := range map[perch.Kind]struct {
		state  perch.State
		reason string
	}{
		perch.KindUnauthorized:    {perch.StateSuspended, perch.ReasonCredentials},
		perch.KindForbidden:       {perch.StateSuspended, perch.ReasonCredentials},
		perch.KindValidation:      {perch.StateSuspended, perch.ReasonConfig},
		perch.KindUpstreamConfig:  {perch.StateReconnecting, perch.ReasonConfig},
		perch.KindRedirectRefused: {perch.StateSuspended, perch.ReasonRedirect},
		perch.KindUpstreamTLS:     {perch.StateReconnecting, perch.ReasonTLS},
		perch.KindTryLater:        {perch.StateReconnecting, perch.ReasonTryLater},
		perch.KindLinkLost:        {perch.StateReconnecting, perch.ReasonLinkLost},
		perch.KindUpstreamTimeout: {perch.StateReconnecting, perch.ReasonLinkLost},
		perch.KindInternal:        {perch.StateReconnecting, perch.ReasonLinkLost},
		perch.KindStreamConflict:  {perch.StateReconnecting, perch.ReasonConflict},
		perch.KindPolicy:          {perch.StateReconnecting, perch.ReasonPolicy},
	} {
		t.Run(string(kind), func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := w.open()
				err := perch.Errorf(kind, "")
				w.refuse(err)
				w.conn().Fail(err)
				synctest.Wait()
				if info := s.Info(); info.State != want.state || info.Reason != want.reason {
					t.Errorf("Info: got state %s (%s), want %s (%s)", info.State, info.Reason, want.state, want.reason)
				}
				n := w.up.logins()
				pass(5 * time.Minute)
				tried := w.up.logins() > n
				if tried == (want.state == perch.StateSuspended) {
					t.Errorf("got another attempt %v, want %v", tried, !tried)
				}
			})
		})
	}
}

func TestConflictStopsAfterThree(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		conflict := perch.Errorf(perch.KindStreamConflict, "replaced")
		for i := range 3 {
			if st := s.Info().State; st != perch.StateOnline {
				t.Fatalf("Info before conflict %d: got state %s, want online", i, st)
			}
			w.conn().Fail(conflict)
			synctest.Wait()
			if i < 2 {
				pass(5 * time.Second)
				synctest.Wait()
			}
		}
		if info := s.Info(); info.State != perch.StateSuspended || info.Reason != perch.ReasonConflict {
			t.Errorf("Info: got %+v, want suspended by conflicts", info)
		}
		s.Reconnect()
		synctest.Wait()
		if st := s.Info().State; st != perch.StateOnline {
			t.Errorf("Info after Reconnect: got state %s, want online", st)
		}
		pass(11 * time.Minute)
		w.conn().Fail(conflict)
		pass(time.Minute)
		if st := s.Info().State; st != perch.StateOnline {
			t.Errorf("Info after a conflict of later: got state %s, want online", st)
		}
	})
}

func TestRetryAfterIsRespected(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		w.conn().Fail(&perch.Error{Kind: perch.KindTryLater, RetryAfter: 40 * time.Second})
		synctest.Wait()
		if d := time.Until(s.Info().RetryAt.Time()); d < 39*time.Second {
			t.Errorf("got a pause of %v, want 39s at least", d)
		}
	})
}

// A login with another account than before suspends the session.
func TestAnotherAccount(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		w.up.Edit(func(d *fakexmpp.Data) {
			d.SignIn = func(context.Context, sessions.DialRequest) (perch.Login, error) {
				return perch.Login{JID: "mallory@example.net/perch"}, nil
			}
		})
		w.lose(linkLost)
		if info := s.Info(); info.State != perch.StateSuspended || info.Reason != perch.ReasonCredentials || info.JID != alice {
			t.Errorf("Info: got %+v, want alice, suspended for her credentials", info)
		}
	})
}
