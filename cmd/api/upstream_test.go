package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
)

// TestLimitsOfAnUpstream: the file and the URL say the same of an upstream, and labels of the node come from
// wherever settings come from.
func TestLimitsOfAnUpstream(t *testing.T) {
	file := filepath.Join(t.TempDir(), "perch.yaml")
	text := `label: [region=eu, rack=7]
upstreams:
  - domain: work.test
    idle: sign-out
    idle-after: 90s
    max-sessions: 500
    sessions-per-account: 20
    account-rate: 5
    logins: 8
    login-rate: 2.5
    token-mechanism: X-OAUTH2
    token-prefix: work-
    rooms: autojoin
    labels: {tier: gold, year: 2026}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	want := app.Upstream{
		Domain: "work.test", TokenMechanism: "X-OAUTH2", TokenPrefix: "work-", Rooms: "autojoin", Labels: app.Labels{"tier": "gold", "year": "2026"},
		UpstreamLimits: app.UpstreamLimits{Idle: "sign-out", IdleAfter: 90 * time.Second, MaxSessions: 500, SessionsPerAccount: 20, AccountRate: 5, Logins: 8, LoginRate: 2.5},
	}
	url := "xmpp://work.test?idle=sign-out&idle-after=1m30s&max-sessions=500&sessions-per-account=20&account-rate=5&logins=8&login-rate=2.5&token-mechanism=X-OAUTH2&token-prefix=work-&rooms=autojoin&label=tier=gold&label=year=2026"
	for name, args := range map[string][]string{"file": {"--config", file}, "flag": {"--upstream", url}} {
		o, err := parse(t, args...)
		if err != nil || len(o.Upstreams) != 1 || !reflect.DeepEqual(o.Upstreams[0], want) {
			t.Errorf("%s: got %+v, error %v, want %+v", name, o.Upstreams, err, want)
		}
	}
	t.Setenv("PERCH_UPSTREAM", url)
	o, err := parse(t)
	if err != nil || len(o.Upstreams) != 1 || !reflect.DeepEqual(o.Upstreams[0], want) {
		t.Errorf("environment: got %+v, error %v, want %+v", o.Upstreams, err, want)
	}
	for name, set := range map[string]func() (app.Options, error){
		"file":        func() (app.Options, error) { return parse(t, "--config", file) },
		"flags":       func() (app.Options, error) { return parse(t, "--label", "region=eu", "--label", "rack=7") },
		"environment": func() (app.Options, error) { t.Setenv("PERCH_LABEL", "region=eu,rack=7"); return parse(t) },
	} {
		if o, err := set(); err != nil || !reflect.DeepEqual(o.Labels, app.Labels{"region": "eu", "rack": "7"}) {
			t.Errorf("labels of the node, %s: got %v, error %v, want region=eu and rack=7", name, o.Labels, err)
		}
	}
}

// TestWrongLimitsOfAnUpstream are refused by name, in words of the settings.
func TestWrongLimitsOfAnUpstream(t *testing.T) {
	for text, want := range map[string]string{
		"max-sessions: many":      `"many" is not a whole number`,
		"max-sessions: 1.5":       `max-sessions: "1.5" is not a whole number`,
		"logins: 2.0":             `logins: "2.0" is not a whole number`,
		"login-rate: often":       `"often" is not a number`,
		"idle-after: soon":        `"soon" is not a time such as 10m`,
		"labels: [a, b]":          "this must be labels such as {region: eu}",
		"max-session: 3":          `did you mean max-sessions?`,
		"idle: sleep":             `idle "sleep" is none of keep, away, sign-out`,
		"idle-after: 10":          `"10" is not a time such as 10m`,
		"idle-after: 10ms":        "idle-after must be a time of at least 1s",
		"max-sessions: -1":        "max-sessions must be more than 0, or left out",
		"labels: {Region: eu}":    `label "Region": the key must be`,
		"account-rate: .inf":      "account-rate must be more than 0, or left out",
		"sessions-per-account: x": "is not a whole number",
	} {
		file := filepath.Join(t.TempDir(), "perch.yaml")
		if err := os.WriteFile(file, []byte("upstreams:\n  - domain: work.test\n    "+text+"\n"), 0o600); err != nil {
			t.Fatalf("os.WriteFile: got error %v, want none", err)
		}
		o, err := parse(t, "--config", file)
		if err == nil {
			err = app.CheckConfig(o)
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "app.") || strings.Contains(err.Error(), "!!") {
			t.Errorf("%s: got error %v, want %s, without words of Go", text, err, want)
		}
	}
	for query, want := range map[string]string{
		"max-sessions=many":         `--upstream: max-sessions: "many" is not a whole number`,
		"login-rate=often":          `login-rate: "often" is not a number`,
		"idle-after=soon":           `idle-after: "soon" is not a time such as 10m`,
		"label=gold":                `label: label "gold" is not KEY=VALUE, such as region=eu`,
		"label=a=b&label=a=c":       `label "a" is given twice`,
		"logins=1&logins=2":         "logins is given 2 times",
		"max-session=1":             "idle, idle-after, label, login-rate, logins, max-sessions",
		"max-sessions=1&tls=direct": "",
	} {
		_, err := parse(t, "--upstream", "xmpp://work.test?"+query)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got error %v, want %q", query, err, want)
		}
	}
}
