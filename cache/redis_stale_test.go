package cache_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/sessions"
)

// fill commits n events, one by one, and a buddy with each.
func (o *owner) fill(from, n uint64) {
	o.t.Helper()
	for i := from; i < from+n; i++ {
		k := &contacts.Contact{Buddy: perch.Buddy{JID: perch.JID(fmt.Sprintf("b%d@x", i))}}
		o.Contacts = o.Contacts.Put(k)
		o.ok(&sessions.Commit{Events: o.event(i, fmt.Sprint(i)), Contacts: contacts.Change{Table: o.Contacts, Keys: []perch.JID{k.Key()}}})
	}
}

// cold opens a session as a process that remembers nothing.
func (w *world) cold(t *testing.T, id sessions.ID) *owner {
	t.Helper()
	return own(t, w.open(t, cache.RedisOptions{RetryFor: time.Minute}), id)
}

// newLog checks that o does not continue the log of old, whose first kept events are known.
func (o *owner) newLog(old *owner, kept int) {
	o.t.Helper()
	if o.Epoch == old.Epoch || o.Tip != 0 || !o.Stale || o.Contacts.Len() != kept {
		o.t.Errorf("got epoch %s after %s, tip %d, stale %v, %d buddies; want a new log, stale, %d buddies",
			o.Epoch, old.Epoch, o.Tip, o.Stale, o.Contacts.Len(), kept)
	}
}

func (o *owner) sameLog(old *owner, tip uint64) {
	o.t.Helper()
	if o.Epoch != old.Epoch || o.Tip != tip || o.Stale {
		o.t.Errorf("got epoch %s, tip %d, stale %v; want %s, %d, not stale", o.Epoch, o.Tip, o.Stale, old.Epoch, tip)
	}
}

// A backup that is restored, with and without an append-only file, while no node runs that
// remembers what came after it.
func TestRedisRestoredFromBackup(t *testing.T) {
	for _, aof := range []bool{false, true} {
		t.Run(fmt.Sprint("appendonly=", aof), func(t *testing.T) {
			server := testkit.Redis(t, testkit.RedisOptions{AppendOnly: aof})
			w := &world{url: server.URL()}
			o := w.cold(t, "a1")
			o.fill(1, 3)
			restore := server.Snapshot(t)
			o.fill(4, 5)
			server.Kill()
			restore()
			server.Start(t)
			w.cold(t, "a1").newLog(o, 3)
		})
	}
}

// A Redis that is killed and restarts with all of its data costs nothing, as long as the
// owners live: they continue, and prove their logs to later owners.
func TestRedisRestartsWithItsData(t *testing.T) {
	server := testkit.Redis(t, testkit.RedisOptions{AppendOnly: true})
	w := &world{url: server.URL()}
	var proofs atomic.Int64
	s := w.open(t, cache.RedisOptions{RetryFor: time.Minute, Trace: func(_ context.Context, op string, n int) func(error) {
		return func(err error) {
			if op == "prove" && err == nil {
				proofs.Add(int64(n))
			}
		}
	}})
	busy, idle := own(t, s, "a1"), own(t, s, "a2")
	busy.fill(1, 3)
	idle.fill(1, 3)
	for round := range uint64(2) {
		server.Kill()
		proofs.Store(0)
		server.Start(t)
		busy.fill(4+round, 1)
		eventually(t, "a proof", func() bool { return proofs.Load() >= 2 })
	}
	w.cold(t, "a1").sameLog(busy, 5)
	w.cold(t, "a2").sameLog(idle, 3)
}

// The replicas were cut off for a while when the master died.
func TestRedisSentinelFailsOverToLaggingReplica(t *testing.T) {
	rs := testkit.Sentinel(t)
	w := &world{url: rs.URL()}
	o := w.cold(t, "a1")
	o.fill(1, 3)
	master := rs.Master.Client(t)
	if n, err := master.Wait(t.Context(), 2, 10*time.Second).Result(); err != nil || n != 2 {
		t.Fatalf("%d replicas have it: %v, want no error and 2", n, err)
	}
	for _, r := range rs.Replicas { // they are refused when they reconnect
		if err := r.Client(t).ConfigSet(t.Context(), "masterauth", "wrong").Err(); err != nil {
			t.Fatalf("ConfigSet: got error %v, want none", err)
		}
	}
	if err := master.Do(t.Context(), "CLIENT", "KILL", "TYPE", "replica").Err(); err != nil {
		t.Fatalf("master.Do: got error %v, want none", err)
	}
	o.fill(4, 5)
	rs.Master.Kill()
	rs.FailedOver(t)
	w.cold(t, "a1").newLog(o, 3)
}

// A master that was made a replica, got the data of another server, and was promoted again is
// still the same process, with the same run id.
func TestRedisDemotedAndPromoted(t *testing.T) {
	server, other := testkit.Redis(t, testkit.RedisOptions{}), testkit.Redis(t, testkit.RedisOptions{})
	w := &world{url: server.URL()}
	o := w.cold(t, "a1")
	o.fill(1, 3)
	follow := func(r, of *testkit.RedisServer) {
		host, port, _ := strings.Cut(of.Addr, ":")
		c := r.Client(t)
		if err := c.ReplicaOf(t.Context(), host, port).Err(); err != nil {
			t.Fatalf("c.ReplicaOf: got error %v, want none", err)
		}
		eventually(t, "a replica", func() bool {
			return strings.Contains(c.Info(t.Context(), "replication").Val(), "master_link_status:up")
		})
		if err := c.ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
			t.Fatalf("c.ReplicaOf: got error %v, want none", err)
		}
	}
	follow(other, server)
	o.fill(4, 5)
	follow(server, other)
	w.cold(t, "a1").newLog(o, 3)
}

// One server of a cluster is restored; what the others have is not doubted.
func TestRedisClusterRestoresOneServer(t *testing.T) {
	c := testkit.Cluster(t)
	w := &world{url: c.URL()}
	byNode := map[string]*owner{}
	for i := 0; len(byNode) < len(c.Nodes) && i < 1000; i++ {
		id := sessions.ID(fmt.Sprintf("a%d", i))
		addr := nodeOf(t, c, id)
		if byNode[addr] == nil {
			byNode[addr] = w.cold(t, id)
			byNode[addr].fill(1, 3)
		}
	}
	victim := c.Nodes[0]
	restore := victim.Snapshot(t)
	for _, o := range byNode {
		o.fill(4, 5)
	}
	victim.Kill()
	restore()
	victim.Start(t)
	c.Await(t)
	for addr, o := range byNode {
		if addr == victim.Addr {
			w.cold(t, o.id).newLog(o, 3)
		} else {
			w.cold(t, o.id).sameLog(o, 8)
		}
	}
}

// nodeOf is the server that has the keys of a session.
func nodeOf(t *testing.T, c *testkit.RedisCluster, id sessions.ID) string {
	t.Helper()
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{c.Nodes[0].Addr}})
	defer func() { _ = client.Close() }()
	n, err := client.MasterForKey(t.Context(), "perch:{"+string(id)+"}:state")
	if err != nil {
		t.Fatalf("client.MasterForKey: got error %v, want none", err)
	}
	return n.Options().Addr
}
