package negotiate_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/negotiate"
	"github.com/perch-im/perch/xmppconn/internal/sasl"
)

var (
	tok   = perch.Account{Token: perch.NewSecret("T")}
	named = perch.Account{JID: "alice@a.test", Token: perch.NewSecret("T")}
	pass  = perch.Account{JID: "alice@a.test", Password: perch.NewSecret("p")}
)

// policy completes p as an upstream does.
func policy(p negotiate.Policy) *negotiate.Policy {
	if p.Domain = "a.test"; p.Mechanisms == nil {
		p.Mechanisms = negotiate.Default()
	} else {
		p.Named = true
	}
	return &p
}

func offering(names ...string) negotiate.Offer { return negotiate.Offer{Mechanisms: names} }

// TestChoose is the rule that a credential never goes where it should not.
func TestChoose(t *testing.T) {
	with := func(a perch.Account, m string) perch.Account { a.Mechanism = m; return a }
	all := append([]string{"EXTERNAL"}, sasl.Names()...)
	for _, tt := range []struct {
		name    string
		policy  negotiate.Policy
		acc     perch.Account
		offered []string
		want    string
		kind    perch.Kind
	}{
		{"the best for a password", negotiate.Policy{}, pass, all, "SCRAM-SHA-512", ""},
		{"the next best", negotiate.Policy{}, pass, []string{"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"}, "SCRAM-SHA-256", ""},
		{"SHA-1 before the password itself", negotiate.Policy{}, pass, []string{"PLAIN", "SCRAM-SHA-1"}, "SCRAM-SHA-1", ""},
		{"plain when nothing else", negotiate.Policy{}, pass, []string{"PLAIN"}, "PLAIN", ""},
		{"a bearer", negotiate.Policy{}, tok, all, "OAUTHBEARER", ""},
		{"a bearer with a name", negotiate.Policy{}, named, []string{"PLAIN", "X-OAUTH2"}, "X-OAUTH2", ""},
		{"a bearer never as password", negotiate.Policy{}, named, []string{"PLAIN", "SCRAM-SHA-1"}, "", perch.KindValidation},
		{"unless the upstream says so", negotiate.Policy{TokenAsPassword: true}, named, []string{"PLAIN", "SCRAM-SHA-1"}, "PLAIN", ""},
		{"a password never as token", negotiate.Policy{}, pass, []string{"X-OAUTH2", "OAUTHBEARER"}, "", perch.KindValidation},
		{"needs a name", negotiate.Policy{}, tok, []string{"X-OAUTH2"}, "", perch.KindValidation},
		{"the Messenger profile", negotiate.Policy{Mechanisms: []string{"X-MESSENGER-OAUTH2"}}, tok, all, "X-MESSENGER-OAUTH2", ""},
		{"closed networks only by name", negotiate.Policy{}, named, []string{"X-FACEBOOK-PLATFORM", "X-GOOGLE-TOKEN"}, "", perch.KindUpstreamConfig},
		{"by name", negotiate.Policy{Mechanisms: []string{"X-GOOGLE-TOKEN"}}, named, all, "X-GOOGLE-TOKEN", ""},
		{"the account's wish", negotiate.Policy{}, with(named, "X-OAUTH2"), all, "X-OAUTH2", ""},
		{"a wish outside of the list", negotiate.Policy{Mechanisms: []string{"OAUTHBEARER"}}, with(tok, "X-OAUTH2"), all, "", perch.KindValidation},
		{"a wish is not widened", negotiate.Policy{}, with(pass, "SCRAM-SHA-256"), []string{"PLAIN"}, "", perch.KindUpstreamConfig},
		{"nothing to bind to", negotiate.Policy{}, pass, []string{"SCRAM-SHA-1-PLUS"}, "", perch.KindUpstreamConfig},
		{"no credential", negotiate.Policy{}, perch.Account{}, all, "", perch.KindValidation},
		{"two credentials", negotiate.Policy{}, perch.Account{Token: tok.Token, Password: pass.Password}, all, "", perch.KindValidation},
		{"a separator inside", negotiate.Policy{}, perch.Account{JID: "a@b", Password: perch.NewSecret("a\x00b")}, all, "", perch.KindValidation},
		{"nothing offered", negotiate.Policy{}, tok, nil, "", perch.KindUpstreamConfig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, m, err := negotiate.Choose(policy(tt.policy), tt.acc, offering(tt.offered...), nil)
			if got.Name != tt.want || (err == nil) != (m != nil) {
				t.Fatalf("Choose() = %q, %v; want %q", got.Name, err, tt.want)
			}
			if tt.kind != "" && perch.KindOf(err) != tt.kind {
				t.Errorf("kind %s, want %s", perch.KindOf(err), tt.kind)
			}
		})
	}
}

func TestTokenAsPassword(t *testing.T) {
	_, m, err := negotiate.Choose(policy(negotiate.Policy{TokenAsPassword: true}), named, offering("PLAIN"), nil)
	if err != nil {
		t.Fatalf("Choose(): got error %v, want none", err)
	}
	want := base64.StdEncoding.EncodeToString([]byte("\x00alice\x00T"))
	if got, _ := m.Start(); got != want {
		t.Errorf("a token as password: got %q, want %v", got, want)
	}
}

func TestErrorsNameTheOffer(t *testing.T) {
	_, _, err := negotiate.Choose(policy(negotiate.Policy{}), tok, offering("<script>", strings.Repeat("A", 50), "GSSAPI"), nil)
	if err == nil || !strings.Contains(err.Error(), "(it has GSSAPI)") {
		t.Errorf("foreign words in the error: got %v, want it with (it has GSSAPI)", err)
	}
}

// TestDowngrade: less than what the account has proved itself with before is refused, unless the
// upstream or the login names it.
func TestDowngrade(t *testing.T) {
	as := func(a perch.Account, proved, wish string) perch.Account {
		a.Proved, a.Mechanism = proved, wish
		return a
	}
	for _, tt := range []struct {
		name    string
		policy  negotiate.Policy
		acc     perch.Account
		offered []string
		want    string // "": refused
	}{
		{"the password itself after SCRAM", negotiate.Policy{}, as(pass, "SCRAM-SHA-1", ""), []string{"PLAIN"}, ""},
		{"a lesser hash", negotiate.Policy{}, as(pass, "SCRAM-SHA-512", ""), []string{"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"}, ""},
		{"no binding any more", negotiate.Policy{}, as(pass, "SCRAM-SHA-1-PLUS", ""), []string{"SCRAM-SHA-512"}, ""},
		{"the same", negotiate.Policy{}, as(pass, "SCRAM-SHA-256", ""), []string{"SCRAM-SHA-256", "SCRAM-SHA-1"}, "SCRAM-SHA-256"},
		{"better", negotiate.Policy{}, as(pass, "PLAIN", ""), []string{"PLAIN", "SCRAM-SHA-1"}, "SCRAM-SHA-1"},
		{"nothing known", negotiate.Policy{}, pass, []string{"PLAIN"}, "PLAIN"},
		{"a mechanism of another version", negotiate.Policy{}, as(pass, "SCRAM-SHA3-512", ""), []string{"PLAIN"}, "PLAIN"},
		{"a token after a password", negotiate.Policy{}, as(named, "SCRAM-SHA-256", ""), []string{"X-OAUTH2"}, "X-OAUTH2"},
		{"a password after a token", negotiate.Policy{}, as(pass, "OAUTHBEARER", ""), []string{"PLAIN"}, "PLAIN"},
		{"named for the login", negotiate.Policy{}, as(pass, "SCRAM-SHA-256", "PLAIN"), []string{"PLAIN"}, "PLAIN"},
		{"named for the upstream", negotiate.Policy{Mechanisms: []string{"SCRAM-SHA-256", "PLAIN"}}, as(pass, "SCRAM-SHA-256", ""), []string{"PLAIN"}, "PLAIN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := negotiate.Choose(policy(tt.policy), tt.acc, offering(tt.offered...), nil)
			if got.Name != tt.want || (err != nil) != (tt.want == "") {
				t.Fatalf("Choose() = %q, %v; want %q", got.Name, err, tt.want)
			}
			if err == nil {
				return
			}
			if perch.KindOf(err) != perch.KindUpstreamConfig || perch.CauseOf(err) != perch.CauseDowngrade {
				t.Errorf("got %s, %s; want %s, %s", perch.KindOf(err), perch.CauseOf(err), perch.KindUpstreamConfig, perch.CauseDowngrade)
			}
			if best := tt.offered[len(tt.offered)-1]; !strings.Contains(err.Error(), tt.acc.Proved) || !strings.Contains(err.Error(), best) {
				t.Errorf("got %v, want it to name %s and %s", err, tt.acc.Proved, best)
			}
		})
	}
}

// TestDefault has every mechanism but those of closed networks, the best first.
func TestDefault(t *testing.T) {
	got := negotiate.Default()
	if len(got) != len(sasl.Names())-2 || got[0] != "SCRAM-SHA-512-PLUS" || slices.Contains(got, "X-GOOGLE-TOKEN") || slices.Contains(got, "X-FACEBOOK-PLATFORM") {
		t.Errorf("Default() = %q, want all of %q but the two of closed networks", got, sasl.Names())
	}
	best := -1
	for _, name := range slices.Backward(got) {
		if m, _ := sasl.Lookup(name); !m.TakesToken {
			if m.Strength <= best && name != "PLAIN" {
				t.Errorf("%s has the strength %d, want more than those behind it", name, m.Strength)
			}
			best = m.Strength
		}
	}
}
