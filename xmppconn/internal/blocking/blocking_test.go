package blocking_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/blocking"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// server answers what it is asked.
type server struct {
	refuse  string // a condition, or "timeout"
	list    string // the payload of the answer
	asked   []string
	arrived []perch.Inbound
}

func (s *server) ask(_ context.Context, typ string, payload []byte, answered func() perch.Inbound, part func(*xmlstream.Borrowed)) error {
	s.asked = append(s.asked, typ+" "+string(payload))
	switch {
	case s.refuse == "timeout":
		return perch.Errorf(perch.KindUpstreamTimeout, "no answer")
	case s.refuse != "":
		return &perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: s.refuse}}
	}
	if part != nil && s.list != "" {
		el, err := xmlstream.Parse(s.list, xmlstream.DefaultLimits())
		if err != nil {
			return err
		}
		part(el.Borrowed())
	}
	s.arrived = append(s.arrived, answered())
	return nil
}

func (s *server) blocking() *blocking.Blocking {
	return blocking.New(s.ask, func() perch.JID { return "me@a.test" })
}

// TestBlocking: what is asked, and what arrives with the answer.
func TestBlocking(t *testing.T) {
	s := &server{list: "<blocklist xmlns='urn:xmpp:blocking'><item jid='a@b'/></blocklist>"}
	b, ctx := s.blocking(), context.Background()
	for _, err := range []error{
		b.FetchBlockList(ctx), b.Block(ctx, "c@d", nil), b.Block(ctx, "c@d", &perch.Report{Reason: "spam"}), b.Unblock(ctx, "a@b"), b.UnblockAll(ctx),
	} {
		if err != nil {
			t.Errorf("got error %v, want none", err)
		}
	}
	asked := []string{
		"get <blocklist xmlns='urn:xmpp:blocking'/>",
		"set <block xmlns='urn:xmpp:blocking'><item jid='c@d'/></block>",
		"set <block xmlns='urn:xmpp:blocking'><item jid='c@d'><report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'></report></item></block>",
		"set <unblock xmlns='urn:xmpp:blocking'><item jid='a@b'/></unblock>",
		"set <unblock xmlns='urn:xmpp:blocking'></unblock>",
	}
	if diff := cmp.Diff(asked, s.asked); diff != "" {
		t.Errorf("asked: -want +got:\n%s", diff)
	}
	arrived := []perch.Inbound{
		&perch.BlockListIn{All: true, Added: []perch.JID{"a@b"}}, &perch.BlockListIn{Added: []perch.JID{"c@d"}}, &perch.BlockListIn{Added: []perch.JID{"c@d"}},
		&perch.BlockListIn{Removed: []perch.JID{"a@b"}}, &perch.BlockListIn{All: true},
	}
	if diff := cmp.Diff(arrived, s.arrived); diff != "" {
		t.Errorf("arrived: -want +got:\n%s", diff)
	}
	if err := b.Block(ctx, "c@d", &perch.Report{Reason: "boredom"}); perch.KindOf(err) != perch.KindValidation || len(s.asked) != len(asked) {
		t.Errorf("Block() with a report of another reason: got %v, want %s and nothing asked", err, perch.KindValidation)
	}
}

// TestRefusals: that there are no block lists is remembered, and all else is not.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		refuse string
		kind   perch.Kind
		asked  int // of two requests
	}{
		{"service-unavailable", perch.KindFeatureUnsupported, 1},
		{"feature-not-implemented", perch.KindFeatureUnsupported, 1},
		{"internal-server-error", perch.KindXMPP, 2},
		{"not-allowed", perch.KindXMPP, 2},
		{"timeout", perch.KindUpstreamTimeout, 2},
	} {
		for name, do := range map[string]func(*blocking.Blocking, context.Context) error{
			"FetchBlockList": (*blocking.Blocking).FetchBlockList,
			"UnblockAll":     (*blocking.Blocking).UnblockAll,
			"Block":          func(b *blocking.Blocking, ctx context.Context) error { return b.Block(ctx, "c@d", nil) },
			"Unblock":        func(b *blocking.Blocking, ctx context.Context) error { return b.Unblock(ctx, "c@d") },
		} {
			s := &server{refuse: tt.refuse}
			b := s.blocking()
			for range 2 {
				if err := do(b, context.Background()); err == nil || perch.KindOf(err) != tt.kind {
					t.Errorf("%s, refused with %s: got %v, want %s", name, tt.refuse, err, tt.kind)
				}
			}
			if len(s.asked) != tt.asked || len(s.arrived) != 0 {
				t.Errorf("%s, refused with %s: asked %d times, %v arrived; want %d, nothing", name, tt.refuse, len(s.asked), s.arrived, tt.asked)
			}
		}
	}
	s := &server{refuse: "item-not-found"}
	if err := s.blocking().Unblock(context.Background(), "c@d"); err != nil || !slices.Equal(s.asked, []string{"set <unblock xmlns='urn:xmpp:blocking'><item jid='c@d'/></unblock>"}) {
		t.Errorf("Unblock() of who is not blocked: got %v after %q, want no error", err, s.asked)
	}
}
