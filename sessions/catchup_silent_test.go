package sessions_test

import (
	"slices"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// gaps are the reasons of the gaps in a log.
func gaps(t tb, evs []event) (reasons []string) {
	for _, e := range evs {
		if e.Type == perch.EventSessionGap {
			var g perch.Gap
			e.into(t, &g)
			reasons = append(reasons, g.Reason)
		}
	}
	return reasons
}

// breakArchive has the archive answer every query with an error, errSilent for none; nil mends it.
func (w *world) breakArchive(a *archive, err error) {
	w.up.set(func(u *upstream) {
		u.pages = func(q perch.ArchiveQuery) (perch.ArchivePage, error) {
			if err != nil {
				return perch.ArchivePage{}, err
			}
			return a.page(q)
		}
	})
}

// TestArchiveThatFails: whatever the answer to a query of the login is, or none, the session
// comes online: at the first login without an event but the feature, later with one gap that says
// why. Live messages are not held back for longer, and what the archive has is read as soon as it
// answers again.
func TestArchiveThatFails(t *testing.T) {
	for _, tt := range []struct {
		name    string
		err     error
		heard   bool // the server sends something all the same
		first   time.Duration
		logins  int // until the session is online again
		reasons []string
	}{
		{"no answer", errSilent, false, 5 * time.Second, 2, []string{perch.GapTimeout}},
		{"no answer, but other bytes", errSilent, true, 5 * time.Second, 1, []string{perch.GapTimeout}},
		{"service-unavailable", conditionError(perch.KindXMPP, "service-unavailable"), false, 0, 1, []string{perch.GapRefused}},
		{"item-not-found", conditionError(perch.KindItemNotFound, "item-not-found"), false, 0, 1, []string{perch.GapTrimmed}},
		{"forbidden", conditionError(perch.KindForbidden, "forbidden"), false, 0, 1, []string{perch.GapRefused}},
		{"not-authorized", conditionError(perch.KindUnauthorized, "not-authorized"), false, 0, 1, []string{perch.GapRefused}},
		{"too large", perch.Wrap(perch.KindXMPP, perch.ErrAnswerTooLarge, "too large"), false, 0, 1, []string{perch.GapRefused}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.roster(bob)
				a := withArchive(w)
				w.up.set(func(u *upstream) { u.heard = tt.heard })
				w.breakArchive(a, tt.err)
				began := time.Now()
				s := w.open()
				if took := time.Since(began); took != tt.first || s.Info().State != perch.StateOnline {
					t.Errorf("the first login: got state %s after %v, want online after %v", s.Info().State, took, tt.first)
				}
				wantFeature(t, s, sessions.ArchiveUnavailable, true)
				wantFeature(t, s, "archive", true)
				if got := gaps(t, w.durable(s)); len(got) != 0 {
					t.Errorf("got gaps %q at the first login, want none", got)
				}
				w.deliver(live(a.add("before", "in", ""), "before"))

				before := w.up.logins()
				w.conn().Fail(linkLost)
				a.add("missed", "in", "")
				for range 120 {
					if pass(time.Second); s.Info().State == perch.StateOnline {
						break
					}
				}
				if n := w.up.logins() - before; n != tt.logins || s.Info().State != perch.StateOnline {
					t.Errorf("got %d logins, state %s; want %d, online", n, s.Info().State, tt.logins)
				}
				if got := gaps(t, w.durable(s)); !slices.Equal(got, tt.reasons) {
					t.Errorf("got gaps %q, want %q", got, tt.reasons)
				}
				wantFeature(t, s, sessions.ArchiveUnavailable, true)
				b, _ := s.Buddies()
				if len(b) != 1 {
					t.Errorf("got %d buddies, want the roster", len(b))
				}

				w.breakArchive(a, nil)
				w.lose(linkLost)
				pass(time.Minute)
				wantFeature(t, s, sessions.ArchiveUnavailable, false)
				got, want := received(t, w.durable(s)), []string{"live before", "archive missed"}
				if !slices.Equal(got, want) {
					t.Errorf("the log: got %q, want %q", got, want)
				}
			})
		})
	}
}

// TestArchiveThatFailsByTime reads by time, as nothing was logged before the outage: also then
// the failure is a gap.
func TestArchiveThatFailsByTime(t *testing.T) {
	for reason, err := range map[string]error{perch.GapTimeout: errSilent, perch.GapRefused: conditionError(perch.KindXMPP, "internal-server-error")} {
		t.Run(reason, func(t *testing.T) {
			inWorld(t, func(w *world) {
				a := withArchive(w)
				w.up.set(func(u *upstream) { u.heard = true })
				s := w.open()
				w.breakArchive(a, err)
				w.lose(linkLost)
				pass(time.Minute)
				if got := gaps(t, w.durable(s)); !slices.Equal(got, []string{reason}) || s.Info().State != perch.StateOnline {
					t.Errorf("got gaps %q, state %s; want %q, online", got, s.Info().State, reason)
				}
			})
		})
	}
}

// TestArchiveThatFailsDuringCatchUp holds live messages while the archive is read, and applies
// them when it stops answering; nothing comes twice.
func TestArchiveThatFailsDuringCatchUp(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		w.up.set(func(u *upstream) { u.heard = true })
		s := w.open()
		w.deliver(live(a.add("before", "in", ""), "before"))
		for range 15 {
			a.add("missed", "in", "")
		}
		asked := 0
		w.up.set(func(u *upstream) {
			u.pages = func(q perch.ArchiveQuery) (perch.ArchivePage, error) {
				if asked++; asked > 1 {
					w.up.newest().Deliver(live("a0003", "missed"))
					w.up.newest().Deliver(live("a9000", "live"))
					return perch.ArchivePage{}, errSilent
				}
				return a.page(q)
			}
		})
		w.lose(linkLost)
		pass(time.Minute)
		got := received(t, w.durable(s))
		if len(got) != 12 || got[11] != "live live" {
			t.Errorf("messages: got %q, want the first page and then the live message", got)
		}
		if g := gaps(t, w.durable(s)); !slices.Equal(g, []string{perch.GapTimeout}) {
			t.Errorf("got gaps %q, want one", g)
		}
	})
}

// TestReasonsOfGaps names the cause of every other gap.
func TestReasonsOfGaps(t *testing.T) {
	for archive, want := range map[string]string{"": perch.GapNoArchive, "136": perch.GapLastOnly} {
		inWorld(t, func(w *world) {
			s := w.open()
			w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.Archive = archive })
			w.lose(linkLost)
			pass(time.Minute)
			if got := gaps(t, w.durable(s)); !slices.Equal(got, []string{want}) {
				t.Errorf("archive %q: got gaps %q, want %q", archive, got, want)
			}
		})
	}
}
