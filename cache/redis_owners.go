package cache

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// Owners implements sessions.Store, a few hundred sessions at a time.
func (r *Redis) Owners(ctx context.Context, ids []sessions.ID) (map[sessions.ID]sessions.NodeID, error) {
	all := map[sessions.ID]sessions.NodeID{}
	for some := range slices.Chunk(ids, 500) {
		if err := r.change(ctx, "owners", func(ctx context.Context) error { return r.owners(ctx, some, all) }); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (r *Redis) owners(ctx context.Context, ids []sessions.ID, into map[sessions.ID]sessions.NodeID) error {
	pipe := r.client.Pipeline()
	cmds := make([]*redis.SliceCmd, len(ids))
	for i, id := range ids {
		cmds[i] = pipe.HMGet(ctx, r.keys.session(id, "state"), "id", "owner")
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	for i, id := range ids {
		row, err := cmds[i].Result()
		if err != nil {
			return err
		}
		if owner := text(row[1]); owner != "" && text(row[0]) == string(id) {
			into[id] = sessions.NodeID(owner)
		}
	}
	return nil
}

// Stored implements sessions.Store.
func (r *Redis) Stored(ctx context.Context, id sessions.ID) (s sessions.StoredSession, err error) {
	data := r.keys.data(id)
	reply, err := r.run(ctx, "stored", storedScript, []string{data[0], data[1], r.keys.session(id, "outbox"), r.keys.session(id, "rooms")}, string(id))
	switch {
	case err != nil:
		return s, err
	case len(reply) == 0:
		return s, errNoSession
	case len(reply) != 8:
		return s, corrupt(fmt.Errorf("stored: %d parts", len(reply)))
	}
	var rec sessions.Record
	if text := text(reply[3]); text != "" {
		row, err := decode[sessions.Record](text)
		if err != nil {
			return s, err
		}
		rec = *row
	}
	s = sessions.StoredSession{
		ID: id, JID: rec.JID, Owner: sessions.NodeID(text(reply[0])), Epoch: text(reply[1]), Tip: number(reply[2]),
		Outbox: int(number(reply[5])), Rooms: int(number(reply[6])), OfflineSince: rec.OfflineSince,
		Ends: perch.At(r.now().Add(span64(reply[7]))),
	}
	s.First = s.Tip + 1 - number(reply[4])
	return s, nil
}

// announce lists the sessions that a batch has released, before their done is called: even
// when this process ends right then, the other nodes can see them. It is best effort: when it is
// lost, another node finds the session later.
func (w *writer) announce(batch []*job) {
	var ids []sessions.ID
	for _, j := range batch {
		if j.resolved && j.release && !j.failed && j.res.Err == nil && j.res.Existing == nil {
			ids = append(ids, j.id)
			j.release = false
		}
	}
	if len(ids) == 0 {
		return
	}
	if err := w.r.listReleased(w.ctx, w.r.keys.nodes(nodesTag), ids...); err != nil {
		w.r.o.Logger.Warn("failed to announce released sessions", "sessions", len(ids), "error", err)
	}
}

// dropReleased takes a session off the list of released ones. It is not repeated:
// the entry ends by itself.
func (r *Redis) dropReleased(ctx context.Context, id sessions.ID) {
	start, traced := time.Now(), r.trace(ctx, "released", 1)
	err := r.client.ZRem(ctx, r.keys.nodes(nodesTag)[3], string(id)).Err()
	r.observe("released", start, traced, err)
}
