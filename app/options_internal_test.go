package app

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/sessions"
)

func TestOptionsAreRefusedByName(t *testing.T) {
	up := []Upstream{{Name: "a", Domain: "a.test"}}
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"half TLS":             {Options{TLSCert: "c.pem"}, "--tls-cert"},
		"short secret":         {Options{Secret: "short"}, "--secret"},
		"redis without secret": {Options{RedisURL: "redis://127.0.0.1"}, "openssl rand"},
		"short seal key":       {Options{SecretOptions: SecretOptions{SealKeys: [][]byte{{1}}}}, "--secret-key 1"},
		"listen":               {Options{Listen: "nonsense"}, "--listen"},
		"demo on all hosts":    {Options{Listen: "0.0.0.0:80"}, "demo accounts"},
		"negative":             {Options{Limits: Limits{MaxSessions: -1}}, "--max-sessions"},
		"no domain":            {Options{Upstreams: []Upstream{{Name: "x"}}}, "domain is missing"},
		"bad name":             {Options{Upstreams: []Upstream{{Name: "A b", Domain: "a.test"}}}, `"A b"`},
		"twice":                {Options{Upstreams: append(up, up...)}, "twice"},
		"profile":              {Options{Upstreams: []Upstream{{Domain: "a.test", Profile: "icq"}}}, "icq"},
		"tls":                  {Options{Upstreams: []Upstream{{Domain: "a.test", TLS: "none"}}}, `tls "none"`},
		"auto with address":    {Options{Upstreams: []Upstream{{Domain: "a.test", TLS: "auto", Address: "a:1"}}}, "SRV"},
		"default upstream":     {Options{Upstreams: up, UpstreamOptions: UpstreamOptions{DefaultUpstream: "b"}}, "there are: a"},
		"idle":                 {limitedBy(UpstreamLimits{Idle: "sleep"}), `"sleep" is none of keep, away, sign-out`},
		"idle without a unit":  {limitedBy(UpstreamLimits{IdleAfter: 10}), "idle-after"},
		"idle without a time":  {limitedBy(UpstreamLimits{Idle: sessions.IdleAway}), "idle away needs idle-after"},
		"max-sessions":         {limitedBy(UpstreamLimits{MaxSessions: -1}), "max-sessions"},
		"sessions-per-account": {limitedBy(UpstreamLimits{SessionsPerAccount: -1}), "sessions-per-account"},
		"logins":               {limitedBy(UpstreamLimits{Logins: -1}), "logins"},
		"login-rate":           {limitedBy(UpstreamLimits{LoginRate: math.NaN()}), "login-rate"},
		"account-rate":         {limitedBy(UpstreamLimits{AccountRate: math.Inf(1)}), "account-rate"},
		"rooms":                {Options{Upstreams: []Upstream{{Name: "a", Domain: "a.test", Rooms: "all"}}}, `rooms "all" must be autojoin`},
		"rooms of Messenger":   {Options{Upstreams: []Upstream{{Name: "a", Domain: "a.test", Rooms: "autojoin", Profile: ProfileMessenger}}}, "Messenger has none"},
		"labels":               {Options{Upstreams: []Upstream{{Name: "a", Domain: "a.test", Labels: Labels{"A": "b"}}}}, `upstream "a": label "A"`},
		"labels of the node":   {Options{AdminOptions: AdminOptions{Labels: Labels{"a": ""}}}, `--label: label "a"`},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.o.withDefaults().validate()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

// limitedBy are options with one upstream.
func limitedBy(l UpstreamLimits) Options {
	return Options{Upstreams: []Upstream{{Name: "a", Domain: "a.test", UpstreamLimits: l}}}
}

func TestDefaultsOfOptions(t *testing.T) {
	o := Options{Upstreams: []Upstream{{Domain: "m.test", Profile: ProfileMessenger}, {Domain: "p.test"}}}.withDefaults()
	if err := o.validate(); err != nil {
		t.Fatalf("o.validate: got error %v, want none", err)
	}
	if o.DefaultUpstream != "m.test" || o.Upstreams[0].TokenMechanism != "X-MESSENGER-OAUTH2" || o.Upstreams[1].Profile != ProfileStandard {
		t.Errorf("defaults: %+v, want %q and %q and %v", o, "m.test", "X-MESSENGER-OAUTH2", ProfileStandard)
	}
	if o.Listen != "127.0.0.1:8080" || o.MaxSessions != 10_000 {
		t.Errorf("defaults: %+v, want %q and 10_000", o, "127.0.0.1:8080")
	}
	if o.DrainTime != 20*time.Second || o.OpenTimeout != 15*time.Second || o.Lease != 15*time.Second || o.Tracing.Sample != 1 {
		t.Errorf("drain %v, opening %v, lease %v, share of traces %v; want 20 s, 15 s, 15 s, 1", o.DrainTime, o.OpenTimeout, o.Lease, o.Tracing.Sample)
	}
	if o.SessionsPerAccount != 10 || o.SessionsPerAddress != 5000 {
		t.Errorf("%d sessions of an account, %d of an address; want 10, 5000", o.SessionsPerAccount, o.SessionsPerAddress)
	}
	if want := (sessions.Retention{Events: 10_000, Bytes: 8_388_608, Age: 24 * time.Hour}); o.Retention != want {
		t.Errorf("retention %+v, want %+v", o.Retention, want)
	}
}
