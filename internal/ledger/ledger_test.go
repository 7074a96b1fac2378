package ledger_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/ledger"
	"github.com/perch-im/perch/internal/testkit"
)

// logLines writes the progress of a run to the log of the test.
type logLines struct{ t *testing.T }

func (l logLines) Write(b []byte) (int, error) {
	l.t.Logf("%s", b)
	return len(b), nil
}

// run makes one run of the ledger with the seed of LEDGER_SEED, or 7. The history and the
// logs of the nodes stay in bin/ledger.
func run(t *testing.T, o ledger.Options) *ledger.Report {
	t.Helper()
	o.Seed = 7
	if text := os.Getenv("LEDGER_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("LEDGER_SEED: got error %v, want none", err)
		}
		o.Seed = seed
	}
	root := testkit.Root(t)
	o.Dir = filepath.Join(root, "bin", "ledger", fmt.Sprintf("test-%s-%s%d", cmp.Or(o.Server, "prosody"), o.Plant, o.Seed))
	o.Modules, o.Out = filepath.Join(root, "internal", "ledger", "peers"), logLines{t}
	r := ledger.Run(t.Context(), t, o)
	for _, line := range r.Lines(o.Seed) {
		t.Log(line)
	}
	return r
}

// TestNothingIsLost is the short form of make ledger: two gateways, foreign clients, and a
// part after the other broken.
func TestNothingIsLost(t *testing.T) {
	for _, o := range []ledger.Options{
		{Server: "prosody", Messages: 1400, Accounts: 2, Senders: 2, Script: []string{
			ledger.FaultNodeKill, ledger.FaultLinkCut, ledger.FaultRedisKill, ledger.FaultBurst, ledger.FaultDrain,
			ledger.FaultNodePause, ledger.FaultRedisFlush, ledger.FaultRedisPauseKill, ledger.FaultServerRestart, ledger.FaultRedisFull,
		}},
		{Server: "ejabberd", Messages: 400, Accounts: 2, Senders: 2, Script: []string{
			ledger.FaultRedisPauseKill, ledger.FaultDrain, ledger.FaultLinkReset, ledger.FaultServerRestart,
		}},
	} {
		t.Run(o.Server, func(t *testing.T) {
			r := run(t, o)
			if r.Failed() {
				t.Error("promises were broken; LEDGER_SEED chooses the seed, want all of them kept")
			}
			if r.Messages < o.Messages*9/10 || r.Accepted == 0 || r.Faults != len(o.Script) {
				t.Errorf("%d messages, %d outbound and %d faults prove nothing, want at least %v and more than 0 and %v", r.Messages, r.Accepted, r.Faults, o.Messages*9/10, len(o.Script))
			}
			if x := r.Rooms; x.Rooms != 6 || x.Occupants != 20 || x.Messages < o.Messages/5 || x.Events < 2*o.Accounts*x.Messages {
				t.Errorf("%d events of %d messages in %d rooms with %d occupants prove nothing, want most of them, and %d or more in 6 with 20", x.Events, x.Messages, x.Rooms, x.Occupants, o.Messages/5)
			}
		})
	}
}

// TestPlantedMistakeIsFound runs a gateway that does not read the archive after a failed
// resume. make ledger-planted has the other mistakes.
func TestPlantedMistakeIsFound(t *testing.T) {
	o, ok := ledger.Planted("archive", ledger.Options{})
	if !ok {
		t.Fatal("there is no such mistake, want one")
	}
	o.Patience = 20 * time.Second
	if r := run(t, o); !ledger.Found("archive", r) {
		t.Errorf("%d of %d messages lost, want what this mistake does", len(r.Lost), r.Messages)
	}
}
