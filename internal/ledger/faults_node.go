package ledger

// Faults of a node.

// nodeKill kills a node. Every other time the others have to take over before it is started
// again; a node that is alone is started at once.
func (w *world) nodeKill(f fault, n *node) {
	n.kill()
	if len(w.nodes) > 1 && f.random.IntN(2) == 0 {
		w.wait(w.o.Lease)
	}
	w.wait(f.hold)
	n.start(w.t)
}

// nodePause freezes a node for longer than its lease. To the node no time has passed when it
// continues.
func (w *world) nodePause(f fault, n *node) {
	n.freeze()
	w.wait(2*w.o.Lease + f.hold)
	n.unfreeze()
}

// nodeDrain stops a node as an operator does, and starts it again.
func (w *world) nodeDrain(f fault, n *node) {
	w.drain(n)
	w.wait(f.hold)
	n.start(w.t)
}

// logPipe leaves the log of a node unread, as a collector does that hangs. The node must keep its work up.
func (w *world) logPipe(f fault, n *node) {
	release := n.prog.HoldOutput()
	w.wait(f.hold)
	release()
}

// peersReset cuts what the other nodes pass on to a node.
func (w *world) peersReset(f fault, n *node) {
	heal := n.peers.Toxic(w.t, "reset_peer", "downstream", map[string]any{"timeout": 50})
	w.wait(f.hold)
	heal()
}

// Faults of Redis, and of a node's link to it.

func (w *world) redisPause(f fault, _ *node) {
	w.redis.Pause()
	w.wait(f.hold)
	w.redis.Continue()
}

func (w *world) redisKill(f fault, _ *node) {
	w.redis.Kill()
	w.wait(f.hold)
	w.redis.Start(w.t)
}

// redisFlush empties Redis. Its hold is the time in which everything is written again.
func (w *world) redisFlush(f fault, _ *node) {
	if err := w.keys.FlushAll(w.ctx).Err(); err != nil {
		w.t.Errorf("ledger: FLUSHALL: %v", err)
	}
	w.wait(f.hold)
}

// redisRestore puts a backup of Redis back as operators do, with no gateway running: none of
// those that come remembers what was written after it. Its hold is the age of the backup:
// the load continues meanwhile. Clients reconnect when new logs, or the old ones, have grown past
// their cursors; before that a cursor beyond the end would be refused in any case.
func (w *world) redisRestore(f fault, _ *node) {
	restore := w.redis.Snapshot(w.t)
	w.wait(f.hold)
	w.front.Down()
	w.redis.Kill()
	for _, n := range w.nodes {
		n.kill()
	}
	restore()
	w.redis.Start(w.t)
	for _, n := range w.nodes {
		n.start(w.t)
	}
	w.wait(f.hold + 6*second)
	w.front.Up(w.t)
}

func (w *world) redisFull(f fault, _ *node) {
	w.maxMemory("1mb")
	w.wait(f.hold)
	w.maxMemory("0")
}

func (w *world) maxMemory(size string) {
	if err := w.keys.ConfigSet(w.ctx, "maxmemory", size).Err(); err != nil {
		w.t.Errorf("ledger: maxmemory: %v", err)
	}
}

func (w *world) redisReset(f fault, n *node) {
	heal := n.redis.Toxic(w.t, "reset_peer", "downstream", map[string]any{"timeout": f.random.IntN(100)})
	w.wait(f.hold)
	heal()
}

func (w *world) redisSlow(f fault, n *node) {
	heal := n.redis.Toxic(w.t, "latency", "downstream", map[string]any{"latency": 100 + f.random.IntN(700), "jitter": 100})
	w.wait(f.hold)
	heal()
}

// redisAway takes Redis away from one node for longer than its lease: it keeps its clients
// and its XMPP streams, and others take over its sessions.
func (w *world) redisAway(f fault, n *node) {
	n.redis.Down()
	w.wait(2*w.o.Lease + f.hold)
	n.redis.Up(w.t)
}

// redisPauseNodeKill kills a node that has stanzas in hand which Redis has not taken.
func (w *world) redisPauseNodeKill(f fault, n *node) {
	w.redis.Pause()
	w.wait(f.hold)
	n.kill()
	w.redis.Continue()
	if len(w.nodes) > 1 && f.random.IntN(2) == 0 {
		w.wait(w.o.Lease)
	}
	n.start(w.t)
}
