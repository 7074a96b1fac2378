package xmppconn

import (
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/sasl"
)

// TestChooseMechanism is the rule that a token never goes where it should not.
func TestChooseMechanism(t *testing.T) {
	tok := perch.Account{Token: perch.NewSecret("T")}
	named := perch.Account{JID: "alice@a.test", Token: perch.NewSecret("T")}
	pass := perch.Account{JID: "alice@a.test", Password: perch.NewSecret("p")}
	with := func(a perch.Account, m string) perch.Account { a.Mechanism = m; return a }
	all := append([]string{"EXTERNAL", "SCRAM-SHA-1-PLUS"}, sasl.Names()...)
	for _, tt := range []struct {
		name    string
		up      Upstream
		acc     perch.Account
		offered []string
		want    string
		kind    perch.Kind
	}{
		{"the best for a password", Upstream{}, pass, all, "SCRAM-SHA-256", ""},
		{"the next best", Upstream{}, pass, []string{"PLAIN", "SCRAM-SHA-1"}, "SCRAM-SHA-1", ""},
		{"plain when nothing else", Upstream{}, pass, []string{"PLAIN"}, "PLAIN", ""},
		{"a bearer", Upstream{}, tok, all, "OAUTHBEARER", ""},
		{"a bearer with a name", Upstream{}, named, []string{"PLAIN", "X-OAUTH2"}, "X-OAUTH2", ""},
		{"a bearer never as password", Upstream{}, named, []string{"PLAIN", "SCRAM-SHA-1"}, "", perch.KindValidation},
		{"unless the upstream says so", Upstream{TokenAsPassword: true}, named, []string{"PLAIN", "SCRAM-SHA-1"}, "PLAIN", ""},
		{"a password never as token", Upstream{}, pass, []string{"X-OAUTH2", "OAUTHBEARER"}, "", perch.KindValidation},
		{"needs a name", Upstream{}, tok, []string{"X-OAUTH2"}, "", perch.KindValidation},
		{"the Messenger profile", Upstream{Profile: ProfileMessenger}, tok, all, "X-MESSENGER-OAUTH2", ""},
		{"closed networks only by name", Upstream{}, named, []string{"X-FACEBOOK-PLATFORM", "X-GOOGLE-TOKEN"}, "", perch.KindUpstreamConfig},
		{"by name", Upstream{Mechanisms: []string{"X-GOOGLE-TOKEN"}}, named, all, "X-GOOGLE-TOKEN", ""},
		{"the account's wish", Upstream{}, with(named, "X-OAUTH2"), all, "X-OAUTH2", ""},
		{"a wish outside of the list", Upstream{Mechanisms: []string{"OAUTHBEARER"}}, with(tok, "X-OAUTH2"), all, "", perch.KindValidation},
		{"a wish is not widened", Upstream{}, with(pass, "SCRAM-SHA-256"), []string{"PLAIN"}, "", perch.KindUpstreamConfig},
		{"no credential", Upstream{}, perch.Account{}, all, "", perch.KindValidation},
		{"two credentials", Upstream{}, perch.Account{Token: tok.Token, Password: pass.Password}, all, "", perch.KindValidation},
		{"a separator inside", Upstream{}, perch.Account{JID: "a@b", Password: perch.NewSecret("a\x00b")}, all, "", perch.KindValidation},
		{"nothing offered", Upstream{}, tok, nil, "", perch.KindUpstreamConfig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.up.Domain = "a.test"
			up := tt.up.withDefaults()
			got, m, err := chooseMechanism(&up, tt.acc, tt.offered)
			if got.Name != tt.want || (err == nil) != (m != nil) {
				t.Fatalf("chooseMechanism() = %q, %v; want %q", got.Name, err, tt.want)
			}
			if tt.kind != "" && perch.KindOf(err) != tt.kind {
				t.Errorf("kind %s, want %s", perch.KindOf(err), tt.kind)
			}
		})
	}
	up := Upstream{Domain: "a.test", TokenAsPassword: true}.withDefaults()
	_, m, err := chooseMechanism(&up, named, []string{"PLAIN"})
	if err != nil {
		t.Fatalf("chooseMechanism(): got error %v, want none", err)
	}
	if got, _ := m.Start(); got != b64("\x00alice\x00T") {
		t.Errorf("a token as password: got %q, want %v", got, b64("\x00alice\x00T"))
	}
	_, _, err = chooseMechanism(&up, tok, []string{"<script>", strings.Repeat("A", 50), "GSSAPI"})
	if !strings.Contains(err.Error(), "(it has GSSAPI)") {
		t.Errorf("foreign words in the error: got %v, want it with (it has GSSAPI)", err)
	}
}
