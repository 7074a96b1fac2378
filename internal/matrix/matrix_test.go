package main

import (
	"bytes"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCount(t *testing.T) {
	const in = `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"quiet\n"}
{"Action":"pass","Package":"p","Test":"TestA/part"}
{"Action":"pass","Package":"p","Test":"TestA"}
a line of something else
{"Action":"output","Package":"p","Test":"TestB","Output":"    x_test.go:7: got 1, want 2\n"}
{"Action":"fail","Package":"p","Test":"TestB"}
{"Action":"fail","Package":"p"}
{"Action":"pass","Package":"q","Test":"TestC"}
{"Action":"output","Package":"q","Output":"FAIL\tq\n"}
{"Action":"fail","Package":"q"}
{"ImportPath":"r [r.test]","Action":"build-output","Output":"r/x.go:1: undefined: x\n"}
{"ImportPath":"r [r.test]","Action":"build-fail"}
{"Action":"fail","Package":"r"}
{"Action":"output","Package":"s","Test":"TestD","Output":"    s_test.go:3: not here\n"}
{"Action":"skip","Package":"s","Test":"TestD"}
{"Action":"skip","Package":"s","Test":"TestE/part"}
{"Action":"pass","Package":"s","Test":"TestE"}
{"Action":"pass","Package":"s"}
{"Action":"skip","Package":"u"}
{"Action":"pass","Package":"v","Test":"TestF/today_SCRAM-SHA-256/memory"}
{"Action":"pass","Package":"v","Test":"TestF/prosody_PLAIN"}
{"Action":"pass","Package":"v","Test":"TestF/today_SCRAM-SHA-256"}
{"Action":"pass","Package":"v","Test":"TestF"}
{"Action":"fail","Package":"v","Test":"TestG/today"}
{"Action":"pass","Package":"v","Test":"TestG/today_PLAIN"}
{"Action":"fail","Package":"v","Test":"TestG"}
`
	var told bytes.Buffer
	got, parts, err := count(strings.NewReader(in), "Debian 13, XMPP", &told)
	if want := (tally{Passed: 4, Failed: 6}); got != want || err != nil {
		t.Errorf("count() = %+v, %v; want %+v: a test, two packages by themselves, and what is skipped twice", got, err, want)
	}
	if want := (tally{Passed: 1, Failed: 1}); parts != want {
		t.Errorf("count(): with the embedded service got %+v, want %+v: a test counts once, and fails with any of its parts", parts, want)
	}
	want := `a line of something else
Debian 13, XMPP: p TestB: fail
    x_test.go:7: got 1, want 2
Debian 13, XMPP: p: fail
Debian 13, XMPP: q: fail
FAIL	q
r/x.go:1: undefined: x
Debian 13, XMPP: r: fail
Debian 13, XMPP: s TestD: skip
    s_test.go:3: not here
Debian 13, XMPP: s TestE/part: skip
Debian 13, XMPP: s: pass
Debian 13, XMPP: v TestG/today: fail
Debian 13, XMPP: v TestG: fail
`
	if diff := cmp.Diff(want, told.String()); diff != "" {
		t.Errorf("what is told, -want +got:\n%s", diff)
	}
}

func TestVerdict(t *testing.T) {
	for out, want := range map[string]string{
		"ledger: seed 13 in bin\nrooms: 6 rooms, 3 messages, 0 lost, 0 doubled\nledger: 600 messages, 0 lost, 0 doubled, 0 out of order\n": "600 messages, 0 lost, 0 doubled, 0 out of order",
		"it could not be made\n": "no verdict",
	} {
		if got := verdict([]byte(out)); got != want {
			t.Errorf("verdict(%q) = %q, want %q", out, got, want)
		}
	}
}

func TestTables(t *testing.T) {
	has := func(names ...string) map[string]bool {
		m := map[string]bool{}
		for _, n := range names {
			m[n] = true
		}
		return m
	}
	got := tables([]*release{
		{
			Name: "Debian 12", Versions: map[string]string{"prosody": "0.12.3", "ejabberd": "23.01", "redis-server": "7.0.15"},
			Offers: map[string]offer{"prosody": {Mechanisms: []string{"PLAIN"}}, "ejabberd": {}, "today": {Mechanisms: []string{"SCRAM-SHA-256"}, Has: has("urn:xmpp:sasl:2")}},
			Tests:  map[string]tally{"XMPP": {Passed: 9}, "Redis": {Passed: 4}}, Embedded: tally{Passed: 3}, Ledger: map[string]string{"prosody": "0 lost"},
		},
		{
			Name: "Debian 13", Versions: map[string]string{"prosody": "13.0.1", "ejabberd": "24.12", "redis-server": "8.0.2", "valkey-server": "8.1.1"},
			Offers: map[string]offer{"prosody": {Mechanisms: []string{"PLAIN", "SCRAM-SHA-1"}, Bindings: []string{"tls-exporter"}, Has: has("urn:xmpp:sasl:2")}, "ejabberd": {}},
			Tests:  map[string]tally{"XMPP": {Passed: 8, Failed: 1}, "Redis": {Passed: 4}, "Valkey": {Passed: 4}},
		},
	})
	for _, want := range []string{
		"|  | Debian 12 | Debian 13 |\n| --- | --- | --- |\n| Prosody | 0.12.3 | 13.0.1 |\n",
		"| Valkey | none | 8.1.1 |\n",
		"| tests with both XMPP servers | 9 passed | 8 passed, **1 failed** |\n",
		"| of these with the embedded service [today](today.md), too | 3 passed | none |\n",
		"| tests with Valkey | none | 4 passed |\n",
		"| ledger with Prosody | 0 lost | none |\n",
		"| | Prosody 0.12.3 | Prosody 13.0.1 | ejabberd 23.01 | ejabberd 24.12 | today |\n|---|---|---|---|---|---|\n",
		"| SASL mechanisms | PLAIN | PLAIN, SCRAM-SHA-1 | none | none | SCRAM-SHA-256 |\n",
		"| channel bindings (XEP-0440) | not told | tls-exporter | not told | not told | not told |\n",
		"| SASL2 (XEP-0388) | no | yes | no | no | yes |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant in it\n%s", got, want)
		}
	}
	if got := tables([]*release{{Name: "Debian 13"}}); strings.Contains(got, "tests with") || strings.Contains(got, "ledger") {
		t.Errorf("got\n%s\nwant nothing of tests that were not run", got)
	}
	for name, r := range map[string]*release{
		"a failed test": {Tests: map[string]tally{"XMPP": {Passed: 8, Failed: 1}}}, "no test": {Tests: map[string]tally{"XMPP": {}}}, "the ledger": {broken: true},
	} {
		if !r.failed() {
			t.Errorf("%s: failed() = false, want true", name)
		}
	}
}

// TestPublish: the tables come into a page, and into no file where none is named.
func TestPublish(t *testing.T) {
	name := filepath.Join(t.TempDir(), "versions.md")
	for page, want := range map[string]string{
		"before\n" + begin + "old\n" + end + "after\n": "before\n" + begin + "new\n" + end + "after\n",
		"no place": "no place",
	} {
		if err := os.WriteFile(name, []byte(page), 0o600); err != nil {
			t.Fatalf("os.WriteFile: got error %v, want none", err)
		}
		var out bytes.Buffer
		err := publish(&out, name, "new\n")
		got, readErr := os.ReadFile(name)
		if readErr != nil || (err != nil) != (want == page) || string(got) != want || out.Len() > 0 {
			t.Errorf("publish() into %q = %q, error %v, printed %q; want %q, and an error if it is as before", page, got, err, out.String(), want)
		}
	}
	var out bytes.Buffer
	if err := publish(&out, "", "new\n"); err != nil || out.String() != "new\n" {
		t.Errorf("publish() into no page = %v, printed %q; want it printed", err, out.String())
	}
}

// TestOffer reads features as servers send them, those inside of SASL2 included.
func TestOffer(t *testing.T) {
	const text = `<features xmlns='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>
<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding>
<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-1</mechanism><inline><bind xmlns='urn:xmpp:bind:0'/><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast></inline></authentication></features>`
	var e element
	if err := xml.Unmarshal([]byte(text), &e); err != nil {
		t.Fatalf("xml.Unmarshal(): got error %v, want none", err)
	}
	o := offer{Has: map[string]bool{}}
	o.noteStream(e)
	if diff := cmp.Diff([]string{"PLAIN", "SCRAM-SHA-1"}, o.Mechanisms); diff != "" {
		t.Errorf("mechanisms, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"tls-exporter"}, o.Bindings); diff != "" {
		t.Errorf("bindings, -want +got:\n%s", diff)
	}
	for _, name := range []string{"urn:xmpp:sasl:2", "urn:xmpp:bind:0", "urn:xmpp:fast:0"} {
		if !o.Has[name] {
			t.Errorf("got no %s, want it", name)
		}
	}
}

// TestResultsStay: tables of what servers offer leave what a page says of tests, and tables with results do not.
func TestResultsStay(t *testing.T) {
	const results = "| tests with Redis | 9 passed |\n| of these with x | 3 passed |\n| ledger with Prosody | 0 lost |\n"
	page := []byte("text\n" + begin + "|  | A |\n| --- | --- |\n| Redis | 7 |\n" + results + "\nOffers:\n\n| old |\n" + end)
	offers := "|  | A |\n| --- | --- |\n| Redis | 8 |\n\nOffers:\n\n| new |\n"
	if got, want := withResults(offers, page), "|  | A |\n| --- | --- |\n| Redis | 8 |\n"+results+"\nOffers:\n\n| new |\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	tested := "| Redis | 8 |\n| tests with Redis | 4 passed |\n\nOffers:\n"
	if got := withResults(tested, page); got != tested {
		t.Errorf("got\n%s\nwant\n%s", got, tested)
	}
}
