package ledger

// planted are the faults that bring each mistake of internal/plant to light, and the server
// on which it does harm.
var planted = map[string]struct {
	server string
	script []string
}{
	"ack":     {"ejabberd", []string{FaultRedisPauseKill, FaultRedisPauseKill}},
	"archive": {"prosody", []string{FaultBurst}},
	"fence":   {"prosody", []string{FaultNodePause, FaultNodePause}},
	"close":   {"prosody", []string{FaultDrain, FaultDrain}},
	"dedupe":  {"prosody", []string{FaultBurst, FaultLinkReset}},
}

// Planted gives the options of a short run that must fail with the mistake in the build.
func Planted(name string, o Options) (Options, bool) {
	p, ok := planted[name]
	o.Plant, o.Server, o.Script = name, p.server, p.script
	o.Accounts, o.Senders = 2, 2
	o.Messages = 1500
	return o, ok
}
