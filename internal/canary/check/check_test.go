package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/canary"
)

// passed is go test -json of packages without a table of what they must leave.
const passed = `{"Action":"output","Package":"github.com/perch-im/perch/docs","Output":"ok  \tgithub.com/perch-im/perch/docs\t0.1s\n"}
{"Action":"pass","Package":"github.com/perch-im/perch/docs"}
`

// plant puts files into a folder as a suite does, and gives what check says.
func plant(t *testing.T, files map[string]string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatalf("os.WriteFile: got error %v, want none", err)
		}
	}
	var shown strings.Builder
	err := check(dir, strings.NewReader(passed), &shown)
	return shown.String(), err
}

// marked and noted are secrets of both kinds. Parts are put together, because this file is
// a part of the suite that is searched.
const (
	marked = "Perch" + "Canary0" + "c2VjcmV0IG9mIGEgdGVzdA=="
	noted  = "a foreign server's secret!"
	minted = "perch" + "_bTN0Zl9hLXRva2VuLW9mLXRoZS1nYXRld2F5LW9mLWl0"
)

// TestEveryFormIsFound plants one leak at a time: each secret, in each form, in each place.
func TestEveryFormIsFound(t *testing.T) {
	secrets := map[string]string{"docs.1.secrets": base64.StdEncoding.EncodeToString([]byte(noted)) + "\n"}
	for name, form := range map[string]func(string) string{
		"as it is":         func(s string) string { return s },
		"lower case":       strings.ToLower,
		"upper case":       strings.ToUpper,
		"base64":           func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"base64 of SASL":   func(s string) string { return base64.StdEncoding.EncodeToString([]byte("\x00alice\x00" + s)) },
		"base64 of more":   func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte("ab" + s + "yz")) },
		"base64url":        func(s string) string { return base64.URLEncoding.EncodeToString([]byte("x" + s)) },
		"hex":              func(s string) string { return hex.EncodeToString([]byte(s)) },
		"capital hex":      func(s string) string { return fmt.Sprintf("%X", s) },
		"hex with blanks":  func(s string) string { return fmt.Sprintf("% x", s) },
		"percent-encoding": func(s string) string { return "%" + strings.ReplaceAll(fmt.Sprintf("% X", s), " ", "%") },
		"query":            url.QueryEscape,
		"numbers":          func(s string) string { return fmt.Sprint([]byte(s)) },
		"escaped octets":   func(s string) string { return `\x` + strings.ReplaceAll(fmt.Sprintf("% x", s), " ", `\x`) },
	} {
		for kind, secret := range map[string]string{"marked": marked, "noted": noted} {
			for _, file := range []string{"docs.1.log", "docs.1.answers", "docs.1.pages", "web.output"} {
				t.Run(kind+" "+name+" "+file, func(t *testing.T) {
					files := map[string]string{file: "a line\nbefore " + form(secret) + " after\n"}
					maps.Copy(files, secrets)
					shown, err := plant(t, files)
					wantFinding(t, shown, err, file+":2 has a "+kind+" secret", form(secret))
				})
			}
		}
	}
}

// wantFinding checks that a finding is named, and that the secret itself is not shown.
func wantFinding(t *testing.T, shown string, err error, want, secret string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("it says %v, want %q in it", err, want)
	}
	if text := shown + err.Error(); strings.Contains(text, secret) {
		t.Errorf("it shows the secret, want no %q in it", secret)
	}
}

// TestWhatProgramsMintIsFound has the tokens that no test can mark.
func TestWhatProgramsMintIsFound(t *testing.T) {
	for text, what := range map[string]string{
		"token " + minted: "a Perch token", "cut " + minted[:25]: "a Perch token",
		"Perch.Bearer." + base64.RawURLEncoding.EncodeToString([]byte(minted)): "a Perch token as base64",
		base64.StdEncoding.EncodeToString([]byte("Bearer " + minted)):          "a Perch token as base64",
		base64.StdEncoding.EncodeToString([]byte("bearer: " + minted)):         "a Perch token as base64",
		hex.EncodeToString([]byte(minted)):                                     "a Perch token as hex",
		"/v1/events/ws?ticket" + "=" + strings.Repeat("aB3-", 11):              "a ticket",
		"EwBw" + strings.Repeat("aB+/", 20):                                    "a token of the Messenger service",
		"EwBw" + url.QueryEscape(strings.Repeat("aB+/", 20)):                   "a token of the Messenger service",
	} {
		shown, err := plant(t, map[string]string{"docs.1.log": text + "\n"})
		wantFinding(t, shown, err, "docs.1.log:1 has "+what, text)
	}
}

// TestWhatIsNoSecret has what looks a little like one.
func TestWhatIsNoSecret(t *testing.T) {
	shown, err := plant(t, map[string]string{
		"docs.1.log": "perch_http_request_duration_seconds_bucket perch_ perch_token perch.bearer.\n" + strings.ToLower(minted) + "\n" +
			"demo-alice /v1/events/ws?ticket=... canary\n",
		"docs.1.secrets": base64.StdEncoding.EncodeToString([]byte(marked)) + "\n",
	})
	if err != nil {
		t.Errorf("plant: got error %v, want none", err)
	}
	if !strings.Contains(shown, "none of 1 secrets in 3 lines of logs") {
		t.Errorf("it says %q, want %q in it", shown, "none of 1 secrets in 3 lines of logs")
	}
}

// TestPlaceInTheSources: a line of a log says where it was written.
func TestPlaceInTheSources(t *testing.T) {
	_, err := plant(t, map[string]string{"docs.1.log": `{"source":{"file":"/src/perch/api/ws.go","line":76},"msg":"` + marked + `"}` + "\n"})
	if err == nil || !strings.HasSuffix(err.Error(), "docs.1.log:1 has a marked secret, logged by api/ws.go:76") {
		t.Errorf("got %v, want an error and %q at its end", err, "docs.1.log:1 has a marked secret, logged by api/ws.go:76")
	}
}

// TestMarkIsWholeOctets: a token that begins with the mark can be canonical base64.
func TestMarkIsWholeOctets(t *testing.T) {
	raw, err := base64.StdEncoding.DecodeString(canary.Mark)
	if err != nil || base64.StdEncoding.EncodeToString(raw) != canary.Mark {
		t.Errorf("got %x, %v, want no error and %v", raw, err, canary.Mark)
	}
}
