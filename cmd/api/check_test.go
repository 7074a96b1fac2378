package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// TestCheckCommand: what works ends with no error, what does not with one, for people and for programs.
func TestCheckCommand(t *testing.T) {
	prosody := testkit.SharedProsody(t)
	good := "xmpp://" + prosody.Addr + "?domain=" + prosody.Domain + "&name=work&ca-file=" + prosody.CAFile
	bad := "xmpp://" + testkit.Loopback(testkit.FreePort(t)) + "?domain=a.test&name=gone"
	for name, tt := range map[string]struct {
		args   []string
		failed string
		want   []string
	}{
		"well":     {[]string{"--upstream", good}, "", []string{"upstream work  warning", "TLS 1.3"}},
		"not well": {[]string{"--upstream", good, "--upstream", bad}, "1 of 3 checks failed", []string{"upstream work  warning", "upstream gone  failed", "connection refused", "-> start the XMPP server"}},
		"settings": {[]string{"--redis-url", "redis://x"}, "1 of 1 checks failed", []string{"configuration  failed", "--secret"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(context.Background(), append([]string{"check"}, tt.args...), &out, &out)
			if (err != nil) != (tt.failed != "") || err != nil && !strings.Contains(err.Error(), tt.failed) {
				t.Errorf("got error %v, want %q", err, tt.failed)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("got\n%s\nwant %q in it", out.String(), want)
				}
			}
			out.Reset()
			err = run(context.Background(), append([]string{"check", "--json"}, tt.args...), &out, &out)
			var report checkReport
			if jsonErr := json.Unmarshal(out.Bytes(), &report); jsonErr != nil || report.OK != (err == nil) || len(report.Checks) == 0 {
				t.Errorf("--json: got %v, error %v, %s, want one object with ok %v and checks", jsonErr, err, out.String(), err == nil)
			}
		})
	}
}

// TestCheckConfig validates the settings and starts nothing: the address is taken, and nobody asks it.
func TestCheckConfig(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want string // of the error
	}{
		"valid":             {[]string{"--listen", "127.0.0.1:1", "--upstream", "nowhere.onion"}, ""},
		"a file is missing": {[]string{"--tls-cert", "/does/not/exist.pem", "--tls-key", "/does/not/exist.key"}, "/does/not/exist.pem"},
		"two of one name":   {[]string{"--upstream", "a.test", "--upstream", "a.test"}, "configured twice"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(context.Background(), append([]string{"--check-config"}, tt.args...), &out, &out)
			if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q", err, tt.want)
			}
			if valid := strings.Contains(out.String(), "the settings are valid"); valid != (tt.want == "") {
				t.Errorf("got %q, want it to say whether the settings are valid", out.String())
			}
		})
	}
}
