package negotiate_test

import (
	"crypto/tls"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/negotiate"
	"github.com/perch-im/perch/xmppconn/internal/sasl"
)

// TestFast is when the token of an account signs in, and when another one is asked for.
func TestFast(t *testing.T) {
	offer := negotiate.Offer{SASL2: negotiate.SASL2{Mechanisms: []string{"PLAIN"}, Fast: []string{"HT-SHA-256-NONE", "HT-SHA-256-UNIQ"}}}
	older := &tls.ConnectionState{TLSUnique: []byte("f")}
	newer := &tls.ConnectionState{}
	acc := perch.Account{JID: "alice@a.test", Password: perch.NewSecret("p"), Agent: "id", Proved: "SCRAM-SHA-256"}
	acc.Fast = perch.FastToken{Mechanism: "HT-SHA-256-NONE", Token: perch.NewSecret("t"), Expires: 100}
	for _, tt := range []struct {
		name       string
		change     func(*perch.Account, *negotiate.Policy)
		connection *tls.ConnectionState
		use        bool
		request    string
	}{
		{"what there is", func(*perch.Account, *negotiate.Policy) {}, newer, true, "HT-SHA-256-NONE"},
		{"the better one is asked for", func(*perch.Account, *negotiate.Policy) {}, older, true, "HT-SHA-256-UNIQ"},
		{"no token", func(a *perch.Account, _ *negotiate.Policy) { a.Fast = perch.FastToken{} }, newer, false, "HT-SHA-256-NONE"},
		{"at its end", func(a *perch.Account, _ *negotiate.Policy) { a.Fast.Expires = 99 }, newer, false, "HT-SHA-256-NONE"},
		{"with an end that is not known", func(a *perch.Account, _ *negotiate.Policy) { a.Fast.Expires = 0 }, newer, true, "HT-SHA-256-NONE"},
		{"of a mechanism that the server lacks", func(a *perch.Account, _ *negotiate.Policy) { a.Fast.Mechanism = "HT-SHA-256-ENDP" }, newer, false, "HT-SHA-256-NONE"},
		{"bound, on a connection that is not", func(a *perch.Account, _ *negotiate.Policy) { a.Fast.Mechanism = "HT-SHA-256-UNIQ" }, newer, false, "HT-SHA-256-NONE"},
		{"after a login that was bound", func(a *perch.Account, _ *negotiate.Policy) { a.Proved = "SCRAM-SHA-1-PLUS" }, newer, false, ""},
		{"of an access token", func(a *perch.Account, _ *negotiate.Policy) { a.Token, a.Password = a.Password, perch.Secret{} }, newer, false, ""},
		{"a mechanism by name", func(a *perch.Account, _ *negotiate.Policy) { a.Mechanism = "PLAIN" }, newer, false, ""},
		{"mechanisms of the upstream by name", func(_ *perch.Account, p *negotiate.Policy) { p.Named = true }, newer, false, ""},
		{"a client without an id", func(a *perch.Account, _ *negotiate.Policy) { a.Agent = "" }, newer, false, ""},
		{"no connection", func(*perch.Account, *negotiate.Policy) {}, nil, false, ""},
	} {
		a, p := acc, &negotiate.Policy{Domain: "a.test", Mechanisms: negotiate.Default()}
		tt.change(&a, p)
		method, known := sasl.Lookup(a.Proved)
		if !known {
			t.Fatalf("%s is not known, want it", a.Proved)
		}
		if m := negotiate.Fast(p, a, offer, tt.connection, 99); (m != nil) != tt.use {
			t.Errorf("%s: Fast() = %v, want one: %v", tt.name, m != nil, tt.use)
		}
		if got := negotiate.FastRequest(p, a, method, offer, tt.connection); got != tt.request {
			t.Errorf("%s: FastRequest() = %q, want %q", tt.name, got, tt.request)
		}
	}
}

// TestPick: the newer profile, unless only the older one has what the account needs.
func TestPick(t *testing.T) {
	with := func(a perch.Account, proved, wish string) perch.Account {
		a.Proved, a.Mechanism = proved, wish
		return a
	}
	for _, tt := range []struct {
		name         string
		acc          perch.Account
		older, newer []string
		want         string
		sasl2        bool
		cause        perch.Cause
	}{
		{"the newer", pass, []string{"PLAIN", "SCRAM-SHA-1"}, []string{"SCRAM-SHA-1"}, "SCRAM-SHA-1", true, ""},
		{"the newer alone", pass, nil, []string{"PLAIN"}, "PLAIN", true, ""},
		{"the older alone", pass, []string{"PLAIN"}, nil, "PLAIN", false, ""},
		{"what only the older has", with(pass, "", "PLAIN"), []string{"PLAIN"}, []string{"SCRAM-SHA-1"}, "PLAIN", false, ""},
		{"less in the newer than before", with(pass, "SCRAM-SHA-256", ""), []string{"SCRAM-SHA-256"}, []string{"PLAIN"}, "SCRAM-SHA-256", false, ""},
		{"less in both", with(pass, "SCRAM-SHA-256", ""), []string{"PLAIN"}, []string{"PLAIN"}, "", false, perch.CauseDowngrade},
		{"less in the only one", with(pass, "SCRAM-SHA-256", ""), nil, []string{"PLAIN"}, "", true, perch.CauseDowngrade},
		{"a mechanism whose texts are not in base64", tok, nil, []string{"X-MESSENGER-OAUTH2"}, "", false, perch.CauseMechanism},
	} {
		offer := negotiate.Offer{Mechanisms: tt.older, SASL2: negotiate.SASL2{Mechanisms: tt.newer}}
		got, err := negotiate.Pick(policy(negotiate.Policy{}), tt.acc, offer, nil)
		if got.Method.Name != tt.want || err == nil && got.SASL2 != tt.sasl2 || perch.CauseOf(err) != tt.cause {
			t.Errorf("%s: Pick() = %q, newer %v, %v; want %q, %v, %q", tt.name, got.Method.Name, got.SASL2, err, tt.want, tt.sasl2, tt.cause)
		}
	}
}
