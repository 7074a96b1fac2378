package password_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/xmppconn/internal/password"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

func own() perch.JID { return "o'me@a.test/phone" }

// TestChangePassword is the request as written.
func TestChangePassword(t *testing.T) {
	secret := canary.Secret() + "<&>"
	var got string
	c := password.New(func(_ context.Context, kind, typ string, to perch.JID, payload []byte, _ func(*xmlstream.Borrowed)) (*xmlstream.Element, error) {
		got = kind + " " + typ + " " + string(to) + " " + string(payload)
		return nil, nil
	}, own)
	if err := c.ChangePassword(context.Background(), perch.NewSecret(secret)); err != nil {
		t.Fatalf("ChangePassword(): got error %v, want none", err)
	}
	want := "password set a.test <query xmlns='jabber:iq:register'><username>o'me</username><password>" +
		strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;").Replace(secret) + "</password></query>"
	if got != want {
		t.Errorf("got a request of %d bytes, want that of %d", len(got), len(want))
	}
}

// TestRefusals: what the answers of servers mean, in words that say what to do.
func TestRefusals(t *testing.T) {
	for condition, want := range map[string]perch.Kind{
		"service-unavailable": perch.KindFeatureUnsupported, "feature-not-implemented": perch.KindFeatureUnsupported,
		"not-allowed": perch.KindForbidden, "not-authorized": perch.KindForbidden, "forbidden": perch.KindForbidden,
		"not-acceptable": perch.KindValidation, "bad-request": perch.KindValidation,
		"internal-server-error": perch.KindXMPP,
	} {
		answer := &perch.Error{Kind: perch.KindXMPP, Detail: "the server answered with an error", XMPP: &perch.XMPPError{Condition: condition}}
		c := password.New(func(context.Context, string, string, perch.JID, []byte, func(*xmlstream.Borrowed)) (*xmlstream.Element, error) {
			return nil, answer
		}, own)
		err := c.ChangePassword(context.Background(), perch.NewSecret(canary.Secret()))
		e, ok := errors.AsType[*perch.Error](err)
		if !ok || e.Kind != want || perch.ConditionOf(err) != condition {
			t.Errorf("%s: got %v, want %s with the condition", condition, err, want)
		}
		if want == perch.KindValidation && e.Fields[0].Pointer != "/new" {
			t.Errorf("%s: got %+v, want the field /new", condition, e.Fields)
		}
	}
	lost := perch.Errorf(perch.KindUpstreamTimeout, "no answer")
	c := password.New(func(context.Context, string, string, perch.JID, []byte, func(*xmlstream.Borrowed)) (*xmlstream.Element, error) {
		return nil, lost
	}, own)
	if err := c.ChangePassword(context.Background(), perch.NewSecret(canary.Secret())); !errors.Is(err, lost) {
		t.Errorf("no answer: got %v, want %v", err, lost)
	}
}

// FuzzChangePassword: whatever a password is, the request is one that reads as it, or none.
func FuzzChangePassword(f *testing.F) {
	f.Add("secret")
	f.Add("</password><x>&#0;\x00\ufffe")
	f.Fuzz(func(t *testing.T, secret string) {
		var sent string
		c := password.New(func(_ context.Context, _, _ string, _ perch.JID, payload []byte, _ func(*xmlstream.Borrowed)) (*xmlstream.Element, error) {
			sent = string(payload)
			return nil, nil
		}, own)
		if err := c.ChangePassword(context.Background(), perch.NewSecret(secret)); err != nil {
			if sent != "" || perch.KindOf(err) != perch.KindValidation {
				t.Fatalf("got %v after %d bytes, want %s and nothing sent", err, len(sent), perch.KindValidation)
			}
			return
		}
		el := streamtest.Parse(t, sent)
		if got := el.ChildText("jabber:iq:register", "password"); got != secret || len(el.Children()) > 2 {
			t.Fatalf("got %q in %d elements, want %q in its own", got, len(el.Children()), secret)
		}
	})
}

// TestHidden is a stanza without a password.
func TestHidden(t *testing.T) {
	if el := streamtest.Parse(t, password.Hidden("x1")); el.Attr("id") != "x1" || len(el.Children()) != 1 {
		t.Errorf("got %+v, want one question", el)
	}
}
