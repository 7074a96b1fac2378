package ledger_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/ledger"
)

// TestSeedFixesThePlan: the same seed is the same run, and each kind comes before any comes
// again.
func TestSeedFixesThePlan(t *testing.T) {
	all := ledger.AllKinds()
	o := ledger.Options{Seed: 7, Faults: 2 * len(all)}
	lines, kinds := ledger.Plan(o)
	if again, _ := ledger.Plan(o); !slices.Equal(lines, again) {
		t.Errorf("two plans of one seed:\n%q\n%q, want them equal", lines, again)
	}
	o.Seed++
	if other, _ := ledger.Plan(o); slices.Equal(lines, other) {
		t.Errorf("another seed gives the same plan: %q, want another one", other)
	}
	for _, half := range [][]string{kinds[:len(all)], kinds[len(all):]} {
		if sorted := slices.Sorted(slices.Values(half)); !slices.Equal(sorted, all) {
			t.Errorf("one round of faults is %q, want %q", sorted, all)
		}
	}
	o.Script = []string{ledger.FaultDrain, ledger.FaultDrain}
	if _, kinds := ledger.Plan(o); !slices.Equal(kinds, o.Script) {
		t.Errorf("the script became %q, want %q", kinds, o.Script)
	}
}

func TestBodyIsWholeOrNot(t *testing.T) {
	body := ledger.Compose("sl1", "a2", 31)
	if m, ok := ledger.Parse(body); !ok || m != "sl1>a2 #31" {
		t.Errorf("got %s %v, want one and %q", m, ok, "sl1>a2 #31")
	}
	for _, broken := range []string{"", "x", body[1:], body[:len(body)-1], strings.Replace(body, " 31 ", " 32 ", 1), "hello " + body} {
		if m, ok := ledger.Parse(broken); ok {
			t.Errorf("%q passes as %s, want none", broken, m)
		}
	}
}

// TestFromLog: owners, panics and races are found among everything else.
func TestFromLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "output.log")
	text := `gateway http://127.0.0.1:1
{"level":"INFO","msg":"session ownership acquired","session":"fa2ba990","epoch":"qib","fence":3,"node":"n1/x","how":"taken"}
{"level":"INFO","msg":"something else","session":"fa2ba990"}
{"level":"WARN","msg":"store may have lost the end of the session log, beginning a new log","session":"fa2ba990"}
{"level":"INFO","msg":"session ownership acquired","session":"0000","epoch":"xyz","fence":1,"node":"n1/x","how":"taken"}
{"level":"INFO","msg":"session ownership acquired","session":"fa2ba990","epoch":"abc","fence":4,"node":"n1/x","how":"taken"}
{"level":"ERROR","msg":"session panicked, closing it","panic":"index out of range"}
==================
WARNING: DATA RACE
{"level":"INFO","msg":"session is ou`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	var got []string
	for _, e := range ledger.FromLog(t, path) {
		got = append(got, string(e.Op)+" "+e.Who+" "+e.ID+" "+e.Text+" "+e.Key)
	}
	want := []string{"owner n1/x fa2ba990 qib ", "owner n1/x 0000 xyz ", "owner n1/x fa2ba990 abc unproved",
		"broken n1  session panicked, closing it: index out of range ", "broken n1  WARNING: DATA RACE "}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
