package app

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/webpush"
)

func newVAPIDKey(t *testing.T) (private, public string) {
	t.Helper()
	k, public, err := NewVAPIDKey()
	if err != nil {
		t.Fatalf("NewVAPIDKey: got error %v, want none", err)
	}
	canary.Note(k.Reveal())
	return k.Reveal(), public
}

// TestPushSettings: what push services would refuse, and what is no key, is refused by name and without its text.
func TestPushSettings(t *testing.T) {
	key, public := newVAPIDKey(t)
	for name, c := range map[string]struct {
		o    PushOptions
		want string
	}{
		"nothing":          {PushOptions{}, ""},
		"all":              {PushOptions{PushVAPIDKey: key, PushContact: "mailto:push@example.org"}, ""},
		"the public half":  {PushOptions{PushVAPIDKey: public}, "--push-vapid-key is no private key"},
		"a name alone":     {PushOptions{PushContact: "push@example.org"}, "--push-contact must be mailto:"},
		"of this machine":  {PushOptions{PushContact: "mailto:root@localhost"}, "--push-contact must be mailto:"},
		"half of the key":  {PushOptions{PushVAPIDKey: key[:20]}, "--push-vapid-key is no private key"},
		"a key of nothing": {PushOptions{PushVAPIDKey: "x"}, "perch vapid-key"},
	} {
		err := Options{Limits: Limits{PushOptions: c.o}}.withDefaults().validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one that says %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), key[:20]) {
			t.Errorf("%s: got the key in the error, want it without", name)
		}
	}
}

// TestPushCheck: perch check shows the public half of a key of the operator, and never the key.
func TestPushCheck(t *testing.T) {
	key, public := newVAPIDKey(t)
	for name, o := range map[string]PushOptions{"of the gateway": {}, "of the operator": {PushVAPIDKey: key}} {
		want := []Finding(nil)
		if o.PushVAPIDKey != "" {
			want = []Finding{{Name: "push", Result: FindingOK, Detail: "application_server_key " + public}}
		}
		var got []Finding
		for _, f := range Check(t.Context(), Options{Limits: Limits{PushOptions: o}}) {
			if f.Name == "push" {
				got = append(got, f)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("a key %s: got %+v, want %+v", name, got, want)
		}
	}
}

// running starts a gateway of the demo.
func running(t *testing.T, o Options) *App {
	t.Helper()
	o.Listen, o.AdminListen, o.Logger = "127.0.0.1:0", "off", canary.Logger()
	a, err := New(o)
	if err != nil {
		t.Fatalf("New: got error %v, want none", err)
	}
	t.Cleanup(func() {
		if err := a.Stop(context.Background()); err != nil {
			t.Errorf("Stop: got error %v, want none", err)
		}
	})
	if err := a.Start(); err != nil {
		t.Fatalf("Start: got error %v, want none", err)
	}
	return a
}

// TestPushKeyOfStore: there is a key from the start, and push can be off.
func TestPushKeyOfStore(t *testing.T) {
	a := running(t, Options{})
	made := a.vapidKey()
	if len(made) != 87 {
		t.Fatalf("vapidKey: got %q, want a key", made)
	}
	if err := a.keepPushKey(t.Context()); err != nil || a.vapidKey() != made {
		t.Errorf("later: got %q, error %v, want %q, none", a.vapidKey(), err, made)
	}
	if got := running(t, Options{Limits: Limits{PushOptions: PushOptions{NoPush: true}}}); got.vapidKey() != "" || got.push != nil {
		t.Errorf("without push: got a key %q, want none", got.vapidKey())
	}
}

// TestPushReload: key, contact and networks change while the gateway serves; without a key of the operator that
// of the store is used again.
func TestPushReload(t *testing.T) {
	key, public := newVAPIDKey(t)
	o := Options{Limits: Limits{PushOptions: PushOptions{PushVAPIDKey: key}}}
	a := running(t, o)
	if got := a.vapidKey(); got != public {
		t.Fatalf("vapidKey: got %q, want %q", got, public)
	}
	o.Listen, o.AdminListen = "127.0.0.1:0", "off"
	before := o
	o.PushVAPIDKey, o.PushContact, o.PushAllow = "", "mailto:push@example.org", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	o.NoPush = true
	done, err := a.Reload(o)
	if want := []string{"push-vapid-key", "push-contact", "push-allow"}; err != nil || !slices.Equal(done.Changed, want) || !slices.Equal(done.Fixed, []string{"push"}) {
		t.Errorf("Reload: got %+v, error %v, want %q changed, push fixed, none", done, err, want)
	}
	if err := a.keepPushKey(t.Context()); err != nil || len(a.vapidKey()) != 87 {
		t.Errorf("without a key of the operator: got %q, error %v, want a key, none", a.vapidKey(), err)
	}
	o = before
	o.PushVAPIDKey = "x"
	if _, err := a.Reload(o); err == nil {
		t.Errorf("a wrong key: got no error, want one, and all as before")
	}
	if k := a.push.keeper.Key(); k == nil || k.Public() == public {
		t.Errorf("after that: got %v, want the key of the store", k)
	}
	if webpush.CheckContact(a.options().PushContact) != nil {
		t.Errorf("the contact: got %q, want the one of before", a.options().PushContact)
	}
}
