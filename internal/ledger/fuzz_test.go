package ledger_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/ledger"
)

// FuzzParse: a body that is not whole is never read as a message, and a whole one is read as
// the one that it names.
func FuzzParse(f *testing.F) {
	whole := ledger.Compose("sl1", "a2", 31)
	for _, body := range []string{whole, whole + " ", strings.ToUpper(whole), "a b 1 c d", " ", ""} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		m, ok := ledger.Parse(body)
		if !ok {
			return
		}
		from, to, _ := strings.Cut(m, ">")
		to, n, _ := strings.Cut(to, " #")
		if got := strings.Fields(body); len(got) != 5 || got[0] != from || got[1] != to || strings.TrimLeft(got[2], "+0") != strings.TrimLeft(n, "0") {
			t.Errorf("Parse(%q) = %q, want what it names", body, m)
		}
	})
}

// FuzzFromLog: whatever a node prints, reading it ends without a panic, and each finding is of
// a line of it.
func FuzzFromLog(f *testing.F) {
	f.Add("{\"msg\":\"session ownership acquired\",\"session\":\"s\",\"epoch\":\"e\",\"fence\":1}\npanic: x\n")
	f.Add("WARNING: DATA RACE\n{\"panic\":\"x\"}\n{\"msg\"")
	f.Add("{\"fence\":-1e400}\n\xff\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "output.log")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatalf("WriteFile got error %v, want none", err)
		}
		if got, lines := len(ledger.FromLog(t, path)), strings.Count(text, "\n")+1; got > 2*lines {
			t.Errorf("FromLog(%q) gives %d entries, want at most two for each of %d lines", text, got, lines)
		}
	})
}
