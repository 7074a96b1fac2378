package ledger

// plantedRuns are the faults that bring each mistake of internal/plant to light, and the
// server on which it does harm: Prosody does not resume a stream of which it was told more
// than it is now, and then the archive has what was acknowledged too early.
var plantedRuns = map[string]struct {
	server   string
	messages int
	script   []string
}{
	"ack":     {"ejabberd", 700, []string{FaultRedisPauseKill, FaultRedisPauseKill}},
	"archive": {"prosody", 1200, []string{FaultBurst}},
	"fence":   {"prosody", 900, []string{FaultNodePause, FaultNodePause}},
	"close":   {"prosody", 400, []string{FaultDrain, FaultDrain}},
	"dedupe":  {"ejabberd", 800, []string{FaultServerRestart, FaultServerRestart, FaultServerRestart, FaultServerRestart}},
}

// Planted gives the options of a short run that must fail with the mistake in the build.
func Planted(name string, o Options) (Options, bool) {
	p, ok := plantedRuns[name]
	o.Plant, o.Server, o.Messages, o.Script = name, p.server, p.messages, p.script
	o.Accounts, o.Senders = 2, 2
	return o, ok
}
