package ledger

import (
	"slices"
	"strings"
)

// plantedRun is what brings a mistake of internal/mutants to light: the faults, the server on
// which it does harm, and which findings are its doing. A run that fails in another way has
// not found it.
type plantedRun struct {
	server   string
	messages int
	script   []string
	found    func(*Report) bool
	rooms    bool // the mistake is in rooms: the run has some
}

// Prosody does not resume a stream of which more was acknowledged than the client now claims,
// and then the archive has what was acknowledged too early: "ack" needs ejabberd. What comes
// twice, by the archive and by the offline store, comes from ejabberd alone, too.
var plantedRuns = map[string]plantedRun{
	"ack": {"ejabberd", 700, []string{FaultRedisPauseKill, FaultRedisPauseKill}, lostSome, false},
	"archive": {"prosody", 1600, []string{FaultBurst, FaultClientsCut, FaultClientsCut, FaultClientsCut}, func(r *Report) bool {
		return lostSome(r) && len(r.Lost) >= burstSize
	}, false},
	"fence": {"prosody", 900, []string{FaultNodePause, FaultNodePause}, func(r *Report) bool {
		return r.Resets > 0 && len(r.Broken) > 0 && r.arrivedAtAll()
	}, false},
	"epoch": {"prosody", 900, []string{FaultRedisRestore, FaultRedisRestore}, lostSome, false},
	"close": {"prosody", 400, []string{FaultDrain, FaultDrain}, func(r *Report) bool {
		return r.SeenOffline > 0 && len(r.Lost)+len(r.Doubled)+len(r.Disordered)+len(r.OutLost) == 0
	}, false},
	"wakeup":      {"prosody", 200, []string{FaultClientsSlow}, lateOnly, false},
	"parkedbytes": {"prosody", 200, []string{FaultClientsSlow}, lostSome, false},
	"dedupe": {"ejabberd", 800, []string{FaultServerRestart, FaultServerRestart, FaultServerRestart, FaultServerRestart}, func(r *Report) bool {
		return len(r.Doubled) > 0 && len(r.Lost) == 0
	}, false},
	"readercursor": {"prosody", 600, []string{FaultClientsSlow, FaultClientsCut, FaultClientsCut}, func(r *Report) bool {
		return lostSome(r) && !slices.ContainsFunc(r.Lost, func(text string) bool { return !onlyWebhooks(text) })
	}, false},
	"relations": {"prosody", 500, []string{FaultClientsSlow, FaultServerRestart, FaultClientsCut}, func(r *Report) bool {
		return len(r.Relations.Doubled) > 0 && len(r.Lost)+len(r.Doubled) == 0 && r.arrivedAtAll()
	}, false},
	"roomhistory": {"prosody", 400, roomFaults, func(r *Report) bool {
		return len(r.Rooms.Doubled) > 0 && len(r.Rooms.Lost)+len(r.Lost)+len(r.Doubled) == 0 && r.arrivedAtAll()
	}, true},
	"roombuffer": {"prosody", 400, roomFaults, func(r *Report) bool {
		return len(r.Rooms.Disordered)+len(r.Rooms.Lost) > 0 && len(r.Lost)+len(r.Doubled)+len(r.Disordered) == 0 && r.arrivedAtAll()
	}, true},
}

// roomFaults are those after which a session has to join its rooms again.
var roomFaults = []string{FaultServerRestart, FaultServerRestart, FaultBurst, FaultServerRestart, FaultServerRestart}

// lostSome: messages are lost, and others are not: the gateways were there until the end, and
// what they sent is with its receivers.
func lostSome(r *Report) bool { return len(r.Lost) > 0 && len(r.OutLost) == 0 && r.arrivedAtAll() }

// onlyWebhooks reports whether a lost message came to all clients but webhooks.
func onlyWebhooks(lost string) bool {
	_, who, ok := strings.Cut(lost, "never came to ")
	return ok && !slices.ContainsFunc(strings.Split(who, ", "), func(name string) bool { return !strings.HasSuffix(name, "/"+webhookName) })
}

// lateOnly: messages slept until something else woke their connection, or until it was given up, and
// none is lost.
func lateOnly(r *Report) bool { return len(r.Late) > 0 && len(r.Lost) == 0 && len(r.OutLost) == 0 }

// arrivedAtAll reports whether a good part of the messages came, and every history ended: else
// the run was over before the gateways were back, and its findings say nothing of them.
func (r *Report) arrivedAtAll() bool {
	return r.Messages-len(r.Lost) >= r.Messages/4 && r.Statuses[""] == 0
}

// Planted gives the options of a short run that must fail with the mistake in the build.
func Planted(name string, o Options) (Options, bool) {
	p, ok := plantedRuns[name]
	o.Plant, o.Server, o.Messages, o.Script = name, p.server, p.messages, p.script
	o.Accounts, o.Senders, o.Nodes = 2, 2, 2
	if o.RoomMessages = o.Messages; !p.rooms {
		o.Rooms = -1
	}
	if name == "wakeup" || name == "parkedbytes" {
		o.Accounts, o.Buddies = 4, -1 // a large roster would take minutes to arrive
	}
	return o, ok
}

// Found reports whether a run has found the mistake that was planted, and not something else.
func Found(name string, r *Report) bool {
	p, ok := plantedRuns[name]
	return ok && r.Failed() && p.found(r)
}
