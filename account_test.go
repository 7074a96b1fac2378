package perch_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

// TestSecretsAreNeverPrinted prints a secret in every way that a careless line could.
func TestSecretsAreNeverPrinted(t *testing.T) {
	const canary = "canary-4711"
	acc := perch.Account{JID: "a@b.test", Token: perch.NewSecret(canary), Password: perch.NewSecret(canary)}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", acc.Token, "account", acc)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", acc.Token, "account", acc)
	asJSON, err := json.Marshal(acc)
	if err != nil {
		t.Fatalf("json.Marshal: got error %v, want none", err)
	}
	for _, s := range []string{
		log.String(), string(asJSON), fmt.Sprint(acc), fmt.Sprintf("%v %+v %#v %s %q", acc, acc, acc, acc.Token, acc.Token),
		fmt.Errorf("with %v", acc).Error(), fmt.Sprint(&acc),
	} {
		if strings.Contains(s, canary) {
			t.Errorf("the secret stands in %s, want no %q in it", s, canary)
		}
	}
	if acc.Token.Reveal() != canary || acc.Token.IsZero() || !(perch.Secret{}).IsZero() {
		t.Errorf("got Reveal %q, IsZero %v and of nothing %v; want %q, false and true", acc.Token.Reveal(), acc.Token.IsZero(), perch.Secret{}.IsZero(), canary)
	}
}

func TestDeliveryAndFeatures(t *testing.T) {
	for _, c := range []struct {
		caps perch.Capabilities
		want string
	}{
		{perch.Capabilities{StreamResume: true, Archive: "313"}, "A"},
		{perch.Capabilities{Archive: "313"}, "B"},
		{perch.Capabilities{StreamResume: true, Archive: "136"}, "C"},
		{perch.Capabilities{Archive: "136"}, "D"}, // ten messages are not enough to catch up
		{perch.Capabilities{}, "D"},
	} {
		if got := c.caps.Delivery(); got != c.want {
			t.Errorf("%+v delivers %s, want %s", c.caps, got, c.want)
		}
	}
	if f := (perch.Capabilities{}).Features(); f == nil || len(f) != 0 {
		t.Errorf("no features: %#v, want one and 0", f)
	}
	for caps, want := range map[perch.Capabilities]string{
		{Archive: "136", ChatOnly: true}: "[archive]",
		{EditRoster: true}:               "[message-edit message-react message-retract rooms roster-edit]",
	} {
		if got := fmt.Sprint(caps.Features()); got != want {
			t.Errorf("Features of %+v: got %s, want %s", caps, got, want)
		}
	}
}

func TestSecretsAreEqual(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{{"", "", true}, {"one", "one", true}, {"one", "two", false}, {"one", "one ", false}, {"one", "", false}} {
		if got := perch.NewSecret(tt.a).Equal(perch.NewSecret(tt.b)); got != tt.want {
			t.Errorf("%q and %q: got equal %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}
