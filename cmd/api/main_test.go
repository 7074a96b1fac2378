package main

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
)

// parse runs the parser alone and returns what serve would get.
func parse(t *testing.T, args ...string) (app.Options, error) {
	t.Helper()
	var c commandLine
	parser, err := newParser(&c, &bytes.Buffer{}, &bytes.Buffer{})
	if err != nil {
		t.Fatalf("newParser: got error %v, want none", err)
	}
	if _, err := parser.Parse(args); err != nil {
		return app.Options{}, err
	}
	return c.Serve.options(c.file)
}

func TestPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "perch.yaml")
	text := "listen: 127.0.0.1:1\nadmin-listen: 127.0.0.1:2\nmax-sessions: 3\norigin: [https://a.test, https://b.test]\nupstreams:\n  - {name: work, domain: work.test, mechanisms: [SCRAM-SHA-256]}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	t.Setenv("PERCH_ADMIN_LISTEN", "127.0.0.1:20")
	o, err := parse(t, "--config", file, "--max-sessions", "30", "--upstream", "home.test")
	if err != nil {
		t.Fatalf("parse: got error %v, want none", err)
	}
	if o.Listen != "127.0.0.1:1" || o.AdminListen != "127.0.0.1:20" || o.MaxSessions != 30 {
		t.Errorf("file, environment, flag: %q %q %d, want %q and %q and 30", o.Listen, o.AdminListen, o.MaxSessions, "127.0.0.1:1", "127.0.0.1:20")
	}
	if len(o.Upstreams) != 2 || o.Upstreams[0].Name != "work" || o.Upstreams[1].Domain != "home.test" {
		t.Errorf("upstreams: %+v, want 2 and %q and %q", o.Upstreams, "work", "home.test")
	}
	if len(o.Origins) != 2 || o.Origins[1] != "https://b.test" {
		t.Errorf("origins: %q, want 2 and %q", o.Origins, "https://b.test")
	}
	t.Setenv("PERCH_CONFIG", file)
	if o, err = parse(t); err != nil || o.Listen != "127.0.0.1:1" {
		t.Errorf("PERCH_CONFIG: %q %v, want no error and %q", o.Listen, err, "127.0.0.1:1")
	}
}

func TestUnknownSettingsAreRefusedByName(t *testing.T) {
	write := func(text string) string {
		file := filepath.Join(t.TempDir(), "perch.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatalf("os.WriteFile: got error %v, want none", err)
		}
		return file
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"flag":                {[]string{"--lisen", "x"}, "--lisen"},
		"file key":            {[]string{"--config", write("lisen: x\n")}, `"lisen"`},
		"another command's":   {[]string{"--config", write("idle-timeout: 1m\n")}, `"idle-timeout"`},
		"nothing":             {[]string{"--streams", "0"}, "--streams"},
		"no time":             {[]string{"--drain-time", "0s"}, "--drain-time"},
		"less than nothing":   {[]string{"--token-rate=-1"}, "--token-rate"},
		"upstream key":        {[]string{"--config", write("upstreams: [{domain: a, pasword: b}]\n")}, "pasword"},
		"file missing":        {[]string{"--config", "/does/not/exist"}, "--config"},
		"upstream query":      {[]string{"--upstream", "xmpp://a.test:5222?pasword=x"}, `"pasword"`},
		"upstream scheme":     {[]string{"--upstream", "http://a.test"}, "xmpp or xmpps"},
		"upstream credential": {[]string{"--upstream", "xmpp://u:p@a.test"}, "credentials"},
		"log level":           {[]string{"--log-level", "loud"}, "--log-level"},
		"secret key":          {[]string{"--secret-key", "zz"}, "--secret-key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(t, c.args...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %s", err, c.want)
			}
		})
	}
	var c commandLine
	parser, err := newParser(&c, &bytes.Buffer{}, &bytes.Buffer{})
	if err != nil {
		t.Fatalf("newParser: got error %v, want none", err)
	}
	err = refuseUnknownEnvironment(parser.Model, []string{"HOME=/", "PERCH_LISTEN=x", "PERCH_LISEN=x"})
	if err == nil || !strings.Contains(err.Error(), "PERCH_LISEN ") {
		t.Errorf("environment: %v, want an error and %q in it", err, "PERCH_LISEN ")
	}
}

// Kubernetes sets variables for a Service named perch in every container beside it.
func TestServiceLinksAreNoSettings(t *testing.T) {
	var c commandLine
	parser, err := newParser(&c, &bytes.Buffer{}, &bytes.Buffer{})
	if err != nil {
		t.Fatalf("newParser: got error %v, want none", err)
	}
	for variable, ignored := range map[string]bool{
		"PERCH_SERVICE_HOST=10.96.0.12":                 true,
		"PERCH_SERVICE_HOST=fd00::12":                   true,
		"PERCH_SERVICE_PORT=8080":                       true,
		"PERCH_SERVICE_PORT_HTTP=8080":                  true,
		"PERCH_SERVICE_PORT_HTTP_ADMIN=9090":            true,
		"PERCH_PORT=tcp://10.96.0.12:8080":              true,
		"PERCH_PORT_8080_TCP=tcp://10.96.0.12:8080":     true,
		"PERCH_PORT_8080_TCP_PROTO=tcp":                 true,
		"PERCH_PORT_8080_TCP_PORT=8080":                 true,
		"PERCH_PORT_8080_TCP_ADDR=10.96.0.12":           true,
		"PERCH_PORT_53_UDP_ADDR=10.96.0.12":             true,
		"PERCH_GATEWAY_SERVICE_HOST=10.96.0.13":         true,
		"PERCH_GATEWAY_2_PORT_9090_TCP_ADDR=10.96.0.13": true,
		"PERCH_ADMIN_PORT=udp://[fd00::12]:9090":        true,
		"PERCH_PORT=8080":                               false,
		"PERCH_LISTEN_PORT=8080":                        false,
		"PERCH_SERVICE_PORT=tcp":                        false,
		"PERCH_SERVICE_HOSTS=a":                         false,
		"PERCH_SERVICE=a":                               false,
		"PERCH_PORT_HTTP_TCP_ADDR=10.96.0.12":           false,
		"PERCH_PORT_8080_TCP_HOST=10.96.0.12":           false,
		"PERCH_LISEN=x":                                 false,
		"PERCH_=x":                                      false,
	} {
		if err := refuseUnknownEnvironment(parser.Model, []string{variable}); (err == nil) != ignored {
			t.Errorf("%s: %v, want ignored %v", variable, err, ignored)
		}
	}
}

// TestErrorsAreForOperators: an error names the setting and an example, says what was probably meant,
// and has no words of the programming language.
func TestErrorsAreForOperators(t *testing.T) {
	write := func(text string) string {
		file := filepath.Join(t.TempDir(), "perch.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatalf("os.WriteFile: got error %v, want none", err)
		}
		return file
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"command":           {[]string{"helth"}, `there is no command "helth", did you mean health?; there are: serve, check`},
		"command far off":   {[]string{"frobnicate"}, `there is no command "frobnicate"; there are: serve`},
		"flag":              {[]string{"--lisen", "x"}, `did you mean "--listen"?`},
		"flag of a command": {[]string{"health", "--timeot", "1s"}, "see perch health --help"},
		"file key":          {[]string{"--config", write("orgin: [x]\n")}, `unknown setting "orgin", did you mean origin?`},
		"upstream key":      {[]string{"--config", write("upstreams: [{domian: a}]\n")}, `an upstream has no setting "domian", did you mean domain?`},
		"upstreams no list": {[]string{"--config", write("upstreams: example.org\n")}, "upstreams must be a list"},
		"upstream no map":   {[]string{"--config", write("upstreams: [example.org]\n")}, "each upstream must have fields"},
		"trusted proxy":     {[]string{"--trusted-proxy", "proxy.internal"}, `"proxy.internal" is no IP address and no network, such as 10.0.0.2`},
		"origin":            {[]string{"--check-config", "--origin", "https://app.example.org/"}, `--origin "https://app.example.org/" must be exactly what browsers send, such as https://app.example.org`},
		"listen":            {[]string{"--check-config", "--listen", "8080"}, `--listen "8080" is not HOST:PORT, such as 127.0.0.1:8080`},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(context.Background(), c.args, &out, &out)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got error %v, want %s in it", err, c.want)
			}
			for _, word := range []string{"Options.", "app.Upstream", "netip.", "ParsePrefix", "unmarshal", "!!"} {
				if strings.Contains(err.Error(), word) {
					t.Errorf("got %q in the error %v, want none", word, err)
				}
			}
		})
	}
}

func TestTrustedProxies(t *testing.T) {
	o, err := parse(t, "--trusted-proxy", "10.0.0.2", "--trusted-proxy", "10.1.2.3/16", "--trusted-proxy", "::1", "--trusted-proxy", "::ffff:10.0.0.3")
	if err != nil {
		t.Fatalf("parse: got error %v, want none", err)
	}
	if got, want := fmt.Sprint(o.TrustedProxies), "[10.0.0.2/32 10.1.0.0/16 ::1/128 10.0.0.3/32]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestClosest(t *testing.T) {
	names := []string{"serve", "check", "messenger", "health", "version"}
	for text, want := range map[string]string{"helth": "health", "Health": "health", "chekc": "check", "server": "serve", "mesenger": "messenger", "run": "", "": ""} {
		if got := closest(text, names); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestServiceLinks(t *testing.T) {
	got := serviceLinks([]string{"PERCH_PORT=tcp://10.0.0.1:80", "PERCH_LISTEN=x", "HOME=/", "PERCH_SERVICE_HOST=10.0.0.1"})
	if want := "[PERCH_PORT PERCH_SERVICE_HOST]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestParseUpstream(t *testing.T) {
	u, err := parseUpstream("xmpps://127.0.0.1:5223?domain=example.org&name=work&mechanism=SCRAM-SHA-1&mechanism=PLAIN&token-mechanism=X-OAUTH2")
	if err != nil {
		t.Fatalf("parseUpstream: got error %v, want none", err)
	}
	if u.Address != "127.0.0.1:5223" || u.Domain != "example.org" || u.TLS != "direct" || len(u.Mechanisms) != 2 || u.TokenMechanism != "X-OAUTH2" {
		t.Errorf("got %+v, want %q and %q and %q and 2 and %q", u, "127.0.0.1:5223", "example.org", "direct", "X-OAUTH2")
	}
}

func TestHelpNamesEveryFlagAndItsVariable(t *testing.T) {
	var out bytes.Buffer
	if err := run(context.Background(), []string{"--help"}, &out, &out); err != nil {
		t.Fatalf("run: got error %v, want none", err)
	}
	for _, want := range []string{"--upstream", "PERCH_UPSTREAM", "--listen", "PERCH_LISTEN", "--redis-url", "PERCH_REDIS_URL", "messenger", "PERCH_LOG_LEVEL", "--config", "PERCH_CONFIG"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("--help does not say %s, want %q in it", want, want)
		}
	}
}

// TestWebhookSettings: webhooks are on, and call public addresses alone, unless the operator says otherwise.
func TestWebhookSettings(t *testing.T) {
	none := app.WebhookOptions{}
	named := app.WebhookOptions{WebhookAllow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("fd00::1/128")}, WebhookCAFile: "ca.pem"}
	for args, want := range map[string]app.WebhookOptions{
		"": none, "--webhooks": none, "--webhooks=false": {NoWebhooks: true},
		"--webhook-allow=10.0.0.7/24 --webhook-allow fd00::1 --webhook-ca-file ca.pem": named,
	} {
		o, err := parse(t, strings.Fields("--upstream home.test "+args)...)
		if err != nil || !reflect.DeepEqual(o.WebhookOptions, want) {
			t.Errorf("%q: got %+v and error %v, want %+v", args, o.WebhookOptions, err, want)
		}
	}
	if _, err := parse(t, "--upstream", "home.test", "--webhook-allow", "receiver.example.org"); err == nil || !strings.Contains(err.Error(), "--webhook-allow") {
		t.Errorf("a name: got error %v, want one that names --webhook-allow", err)
	}
}

// TestNothingIsNoLimit: 0 turns a setting off that has another default, and less than that is refused.
func TestNothingIsNoLimit(t *testing.T) {
	for args, want := range map[string]int{"": 600, "--room-delivery-limit=5": 5, "--room-delivery-limit=0": -1} {
		o, err := parse(t, strings.Fields("--upstream home.test "+args)...)
		if err != nil || o.RoomDeliveryLimit != want {
			t.Errorf("%q: got %d and error %v, want %d", args, o.RoomDeliveryLimit, err, want)
		}
	}
	for args, want := range map[string]bool{"": false, "--raw-stanzas": true} {
		o, err := parse(t, strings.Fields("--upstream home.test "+args)...)
		if err != nil || o.RawStanzas != want {
			t.Errorf("%q: got %v and error %v, want %v", args, o.RawStanzas, err, want)
		}
	}
	for args, want := range map[string]time.Duration{"": 5 * time.Second, "--park-after=0": -1} {
		o, err := parse(t, strings.Fields("--upstream home.test "+args)...)
		if err != nil || o.ParkAfter != want {
			t.Errorf("%q: got %v and error %v, want %v", args, o.ParkAfter, err, want)
		}
	}
	for name, value := range map[string]string{"--room-delivery-limit": "-1", "--park-after": "-1s"} {
		if _, err := parse(t, "--upstream", "home.test", name+"="+value); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: got error %v, want one that names it", name, value, err)
		}
	}
}
