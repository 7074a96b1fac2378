package sessions_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// refuseRoster lets the upstream answer the roster request with an error, or again with one.
func (w *world) refuseRoster(err error) {
	w.up.Edit(func(d *fakexmpp.Data) {
		d.Refuse = func(m string) error {
			if m == "Roster" {
				return err
			}
			return nil
		}
	})
}

func conditionError(kind perch.Kind, condition string) error {
	return &perch.Error{Kind: kind, Detail: "no", XMPP: &perch.XMPPError{Condition: condition}}
}

// TestRosterThatFails: whatever the answer to the roster request is, or none, the login ends,
// and a feature of the session names the missing roster.
func TestRosterThatFails(t *testing.T) {
	for name, refusal := range map[string]error{
		"item-not-found":          conditionError(perch.KindItemNotFound, "item-not-found"),
		"service-unavailable":     conditionError(perch.KindXMPP, "service-unavailable"),
		"forbidden":               conditionError(perch.KindForbidden, "forbidden"),
		"not-authorized":          conditionError(perch.KindUnauthorized, "not-authorized"),
		"feature-not-implemented": conditionError(perch.KindFeatureUnsupported, "feature-not-implemented"),
		"resource-constraint":     conditionError(perch.KindTryLater, "resource-constraint"),
		"no answer":               perch.Errorf(perch.KindUpstreamTimeout, "no answer"),
		"too large":               perch.Wrap(perch.KindXMPP, perch.ErrAnswerTooLarge, "too large"),
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.refuseRoster(refusal)
				s := w.open()
				wantFeature(t, s, sessions.RosterUnavailable, true)
				if b, _ := s.Buddies(); len(b) != 0 {
					t.Errorf("Buddies: got %d, want none", len(b))
				}
				if got := dropReasons(t, w.durable(s)); !slices.Equal(got, []string{sessions.DroppedNoRoster}) {
					t.Errorf("event.dropped: got reasons %v, want one roster_unavailable", got)
				}
				w.refuseRoster(nil)
				w.roster(bob)
				w.lose(linkLost)
				pass(time.Minute)
				wantFeature(t, s, sessions.RosterUnavailable, false)

				w.refuseRoster(refusal) // the cached one stays
				w.lose(linkLost)
				pass(time.Minute)
				wantFeature(t, s, sessions.RosterUnavailable, true)
				if b, _ := s.Buddies(); len(b) != 1 || b[0].JID != bob {
					t.Errorf("Buddies: got %v, want bob", b)
				}
			})
		})
	}
}

// TestRosterOnALostLink: a login whose connection has ended is retried.
func TestRosterOnALostLink(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		w.refuseRoster(perch.Errorf(perch.KindSessionOffline, "ended"))
		w.lose(linkLost)
		if st := s.Info().State; st != perch.StateReconnecting {
			t.Errorf("Info: got state %s, want reconnecting", st)
		}
		w.refuseRoster(nil)
		pass(2 * time.Minute)
		wantFeature(t, s, sessions.RosterUnavailable, false)
	})
}

// TestRosterInPart: what is over a limit is left out, visibly, nothing is taken for removed,
// and a partial roster is stored without a version.
func TestRosterInPart(t *testing.T) {
	inWorld(t, func(w *world) {
		w.roster(bob)
		s := w.open()
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Roster = nil
			for i := range 40 {
				d.Roster = append(d.Roster, perch.Buddy{JID: perch.JID(fmt.Sprintf("b%02d@example.net", i)), Name: strings.Repeat("n", 1<<20)})
			}
		})
		w.lose(linkLost)
		pass(time.Minute)
		wantFeature(t, s, sessions.RosterPartial, true)
		b, _ := s.Buddies()
		if len(b) < 10 || len(b) > 17 || !slices.ContainsFunc(b, func(x perch.Buddy) bool { return x.JID == bob }) {
			t.Errorf("Buddies: got %d, want those within 16 MiB, and bob", len(b))
		}
		if got := dropReasons(t, w.durable(s)); !slices.Contains(got, sessions.DroppedRosterPart) || !slices.Contains(got, "over_budget") {
			t.Errorf("event.dropped: got reasons %v, want roster_partial and over_budget", got)
		}
		w.roster(bob, carol)
		w.lose(linkLost)
		pass(time.Minute)
		wantFeature(t, s, sessions.RosterPartial, false)
		if b, _ := s.Buddies(); len(b) != 2 {
			t.Errorf("Buddies: got %d, want the 2 of the full roster", len(b))
		}
	})
}

func wantFeature(t *testing.T, s *sessions.Session, feature string, want bool) {
	t.Helper()
	info := s.Info()
	if info.State != perch.StateOnline || slices.Contains(info.Features, feature) != want || !slices.IsSorted(info.Features) {
		t.Errorf("Info: got state %s, features %v; want online, and %s: %v", info.State, info.Features, feature, want)
	}
}

func dropReasons(t tb, evs []event) (reasons []string) {
	for _, e := range evs {
		if e.Type == perch.EventDropped {
			var d perch.Dropped
			e.into(t, &d)
			reasons = append(reasons, d.Reason)
		}
	}
	return reasons
}
