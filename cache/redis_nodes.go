package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/perch-im/perch/sessions"
)

// How long nodes know of each other, in both stores.
const (
	beatFor           = time.Hour        // an entry that is not renewed
	deadFor           = time.Hour        // a dead node is listed
	deadRememberedFor = 24 * time.Hour   // a dead node is remembered: a process that continues stays dead
	releasedFor       = 10 * time.Minute // a released session that no node has opened
	releasedMax       = 256              // of them, in one answer
)

// members is what the store remembers of its own nodes' beats.
type members struct {
	mu       sync.Mutex
	answered map[sessions.NodeID]int64 // the time of Redis in the last answer, ms
}

func (m *members) get(id sessions.NodeID) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.answered[id]
}

func (m *members) set(id sessions.NodeID, at int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.answered == nil {
		m.answered = map[sessions.NodeID]int64{}
	}
	m.answered[id] = at
}

func (m *members) drop(id sessions.NodeID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.answered, id)
}

// nodeName is the part of a node's id that all processes of its name share, with the slash.
func nodeName(id sessions.NodeID) string {
	return string(id[:strings.LastIndexByte(string(id), '/')+1])
}

// Beat implements sessions.MembershipStore in one round trip. Who was replaced or has left stays
// dead: the Membership has it among Dead and not among Members, and it must stop using its sessions.
//
// Missed counts from the last Beat that was answered. One whose answer was lost may have
// renewed the entry, but the node saw no other node then, so it does not count.
//
// The first one notes what this program writes, and fails when a later one has written what it does
// not read.
func (r *Redis) Beat(ctx context.Context, self sessions.Node) (sessions.Membership, error) {
	first, err := r.keepFormat(ctx)
	if err != nil {
		return sessions.Membership{}, err
	}
	m, err := r.beat(ctx, r.keys.nodes(nodesTag), self)
	if err == nil && m.Missed < 0 && !first {
		r.format.forget() // the Store was emptied
	}
	return m, err
}

func (r *Redis) beat(ctx context.Context, keys []string, self sessions.Node) (sessions.Membership, error) {
	node, err := encode(self)
	if err != nil {
		return sessions.Membership{}, err
	}
	reply, err := r.run(ctx, "beat", beatScript, keys, string(self.ID), nodeName(self.ID), node,
		r.members.get(self.ID), ms(beatFor), ms(deadFor), ms(deadRememberedFor), ms(releasedFor), releasedMax)
	if err != nil {
		return sessions.Membership{}, err
	}
	if len(reply) != 5 {
		return sessions.Membership{}, corrupt(fmt.Errorf("beat: %d parts", len(reply)))
	}
	membership := sessions.Membership{Missed: span64(reply[1])}
	all, _ := reply[2].([]any)
	for _, row := range all {
		m, err := decodeMember(row)
		if err != nil {
			return sessions.Membership{}, err
		}
		membership.Members = append(membership.Members, m)
	}
	for _, id := range list(reply[3]) {
		membership.Dead = append(membership.Dead, sessions.NodeID(id))
	}
	for _, id := range list(reply[4]) {
		membership.Released = append(membership.Released, sessions.ID(id))
	}
	slices.SortFunc(membership.Members, memberOrder)
	slices.Sort(membership.Dead)
	r.members.set(self.ID, int64(number(reply[0])))
	return membership, nil
}

func memberOrder(a, b sessions.Member) int { return strings.Compare(string(a.ID), string(b.ID)) }

// decodeMember reads {id, node, age in ms}.
func decodeMember(row any) (sessions.Member, error) {
	f, _ := row.([]any)
	if len(f) != 3 {
		return sessions.Member{}, corrupt(fmt.Errorf("a node in %d parts", len(f)))
	}
	node, err := decode[sessions.Node](text(f[1]))
	if err != nil {
		return sessions.Member{}, err
	}
	if string(node.ID) != text(f[0]) {
		return sessions.Member{}, corrupt(errors.New("the name of another node"))
	}
	return sessions.Member{Node: *node, Age: span64(f[2])}, nil
}

// span64 reads milliseconds.
func span64(v any) time.Duration {
	n, _ := v.(int64)
	return time.Duration(n) * time.Millisecond
}

// list reads an array of strings.
func list(v any) []string {
	all, _ := v.([]any)
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = text(s)
	}
	return out
}

// Leave implements sessions.MembershipStore. A Beat that comes after it changes nothing.
func (r *Redis) Leave(ctx context.Context, id sessions.NodeID) error {
	return r.leave(ctx, r.keys.nodes(nodesTag), id)
}

func (r *Redis) leave(ctx context.Context, keys []string, id sessions.NodeID) error {
	_, err := r.run(ctx, "leave", leaveScript, keys[:3], string(id), ms(deadRememberedFor))
	if err == nil {
		r.members.drop(id)
	}
	return err
}

// listReleased lists released sessions.
func (r *Redis) listReleased(ctx context.Context, keys []string, ids ...sessions.ID) error {
	args := []any{ms(releasedFor)}
	for _, id := range ids {
		args = append(args, string(id))
	}
	_, err := r.run(ctx, "released", releasedScript, keys[3:], args...)
	return err
}
