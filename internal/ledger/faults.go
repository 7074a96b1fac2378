package ledger

import (
	"net/http"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

const (
	second = time.Second
	ms     = time.Millisecond
)

// faultKinds has every kind of fault. It is filled here and never changed.
var faultKinds = map[string]kind{
	FaultLinkReset:      {[2]time.Duration{500 * ms, 3 * second}, 0, (*world).linkReset},
	FaultLinkHalfOpen:   {[2]time.Duration{4 * second, 14 * second}, 0, (*world).linkHalfOpen},
	FaultLinkSlow:       {[2]time.Duration{3 * second, 8 * second}, 0, (*world).linkSlow},
	FaultLinkCut:        {[2]time.Duration{3 * second, 8 * second}, 0, (*world).linkCutAfter},
	FaultBurst:          {[2]time.Duration{200 * ms, 2 * second}, 3 * second, (*world).burstWhileAway},
	FaultServerRestart:  {[2]time.Duration{200 * ms, 2 * second}, 5 * second, (*world).serverRestart},
	FaultNodeKill:       {[2]time.Duration{200 * ms, 2 * second}, 3 * second, (*world).nodeKill},
	FaultNodePause:      {[2]time.Duration{1 * second, 3 * second}, 0, (*world).nodePause},
	FaultDrain:          {[2]time.Duration{100 * ms, 1 * second}, 6 * second, (*world).nodeDrain},
	FaultRedisPause:     {[2]time.Duration{1 * second, 7 * second}, 0, (*world).redisPause},
	FaultRedisKill:      {[2]time.Duration{500 * ms, 4 * second}, second, (*world).redisKill},
	FaultRedisFlush:     {[2]time.Duration{6 * second, 8 * second}, 0, (*world).redisFlush},
	FaultRedisFull:      {[2]time.Duration{2 * second, 6 * second}, 0, (*world).redisFull},
	FaultRedisRestore:   {[2]time.Duration{2 * second, 5 * second}, 16 * second, (*world).redisRestore},
	FaultRedisReset:     {[2]time.Duration{500 * ms, 3 * second}, 0, (*world).redisReset},
	FaultRedisSlow:      {[2]time.Duration{3 * second, 8 * second}, 0, (*world).redisSlow},
	FaultRedisAway:      {[2]time.Duration{1 * second, 3 * second}, 0, (*world).redisAway},
	FaultRedisPauseKill: {[2]time.Duration{1 * second, 2 * second}, 3 * second, (*world).redisPauseNodeKill},
	FaultClientsCut:     {[2]time.Duration{100 * ms, 2 * second}, 0, (*world).clientsCut},
	FaultClientsSlow:    {[2]time.Duration{3 * second, 6 * second}, 0, (*world).clientsSlow},
	FaultPeersReset:     {[2]time.Duration{500 * ms, 3 * second}, 0, (*world).peersReset},
	FaultLogPipe:        {[2]time.Duration{5 * second, 15 * second}, 0, (*world).logPipe},
	FaultToken:          {[2]time.Duration{1 * second, 3 * second}, 3 * second, (*world).tokenRejected},
}

// Faults of the link between a node and the XMPP server.

func (w *world) linkReset(f fault, n *node) {
	heal := n.xmpp.Toxic(w.t, "reset_peer", "downstream", map[string]any{"timeout": 0})
	w.wait(f.hold)
	heal()
}

func (w *world) linkHalfOpen(f fault, n *node) {
	up := n.xmpp.Toxic(w.t, "timeout", "upstream", map[string]any{"timeout": 0})
	down := n.xmpp.Toxic(w.t, "timeout", "downstream", map[string]any{"timeout": 0})
	w.wait(f.hold)
	up()
	down()
}

func (w *world) linkSlow(f fault, n *node) {
	slow := n.xmpp.Toxic(w.t, "latency", "downstream", map[string]any{"latency": 200 + f.random.IntN(800), "jitter": 200})
	slices := n.xmpp.Toxic(w.t, "slicer", "downstream", map[string]any{"average_size": 60, "size_variation": 30, "delay": 50})
	w.wait(f.hold)
	slices()
	slow()
}

// linkCutAfter cuts every connection after some bytes: in the middle of a stanza, and now
// and then of a login.
func (w *world) linkCutAfter(f fault, n *node) {
	direction := []string{"upstream", "downstream"}[f.random.IntN(2)]
	heal := n.xmpp.Toxic(w.t, "limit_data", direction, map[string]any{"bytes": 300 + f.random.IntN(9000)})
	w.wait(f.hold)
	heal()
	n.xmpp.Cut(w.t)
}

const burstSize = 600 // more than the 500 that Prosody keeps for a stream that is away

// burstWhileAway sends one account more than a server keeps for a stream, while none of the
// nodes can reach the server.
func (w *world) burstWhileAway(f fault, _ *node) {
	w.links(func(p *testkit.Proxy) { p.Down() })
	w.until(20*second, w.load.burst(w.accounts[f.random.IntN(len(w.accounts))], burstSize))
	w.wait(f.hold)
	w.links(func(p *testkit.Proxy) { p.Up(w.t) })
}

// serverRestart stops the server as an operator does. Every other time the gateways reach it
// again only when the others have been back for a while: then what was sent meanwhile comes
// twice, from the archive and from what the server keeps for those who are offline.
func (w *world) serverRestart(f fault, _ *node) {
	late := f.random.IntN(2) == 0
	w.server.Stop(w.t)
	w.wait(f.hold)
	if late {
		w.links(func(p *testkit.Proxy) { p.Down() })
	}
	w.server.Start(w.t)
	if !late {
		return
	}
	w.until(10*second, w.allOnline)
	w.wait(2 * second)
	w.links(func(p *testkit.Proxy) { p.Up(w.t) })
}

// links does something to the link of every node to the server.
func (w *world) links(do func(*testkit.Proxy)) {
	for _, n := range w.nodes {
		do(n.xmpp)
	}
}

// until waits for what makes the fault effective, and continues without it after limit.
func (w *world) until(limit time.Duration, done func() bool) {
	for begun := time.Now(); time.Since(begun) < limit && !done(); {
		w.wait(50 * ms)
	}
}

// Faults of the link to the clients, and of what they bring.

func (w *world) clientsCut(f fault, _ *node) {
	w.front.Down()
	w.wait(f.hold)
	w.front.Up(w.t)
}

func (w *world) clientsSlow(f fault, _ *node) {
	slow := w.front.Toxic(w.t, "latency", "downstream", map[string]any{"latency": 300, "jitter": 300})
	narrow := w.front.Toxic(w.t, "bandwidth", "downstream", map[string]any{"rate": 20})
	w.wait(f.hold)
	narrow()
	slow()
}

// tokenRejected makes the access token of an account worthless while its link is cut, and
// gives the session a new one as the account's owner does.
func (w *world) tokenRejected(f fault, _ *node) {
	a := w.accounts[f.random.IntN(len(w.accounts))]
	w.server.RevokeToken(w.t, *a.access.Load())
	w.links(func(p *testkit.Proxy) { p.Cut(w.t) })
	w.wait(f.hold)
	fresh := w.server.IssueToken(w.t, a.JID)
	a.access.Store(&fresh)
	if _, err := a.insist(w.ctx, http.MethodPut, "/v1/session/credentials", map[string]string{"token": fresh}); err != nil {
		w.t.Errorf("ledger: a new token was not taken: %v", err)
	}
}
