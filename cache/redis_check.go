package cache

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/internal/conversations"
	"github.com/perch-im/perch/sessions"
)

// check refuses a server that would lose data silently, before anything relies on it.
func (r *Redis) check(ctx context.Context) error {
	if err := r.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("redis: no answer to PING (address, TLS, user and password right?): %w", unavailable(err))
	}
	if err := r.checkVersion(ctx); err != nil {
		return err
	}
	if err := r.checkHistory(ctx); err != nil {
		return err
	}
	if err := r.checkEviction(ctx); err != nil {
		return err
	}
	if err := r.checkFormat(ctx); err != nil {
		return err
	}
	return r.checkWrites(ctx)
}

func (r *Redis) checkVersion(ctx context.Context) error {
	info, err := r.client.Info(ctx, "server").Result()
	if err != nil {
		return fmt.Errorf("redis: INFO is refused; allow it to the ACL user (+info, see docs/redis.md): %w", unavailable(err))
	}
	// Valkey continues from Redis 7.2 and calls itself compatible with that.
	version := field(info, "redis_version")
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < 7 {
		return perch.Errorf(perch.KindStorageUnavailable, "redis: version %q is too old; Redis 7.0 or newer (or Valkey) is needed", version)
	}
	return nil
}

// checkHistory refuses a server that does not report whether it was started again: a log
// whose end it has lost could not be distinguished from a complete one.
func (r *Redis) checkHistory(ctx context.Context) error {
	ids, err := r.servers(ctx)
	if err != nil {
		return fmt.Errorf("redis: INFO server replication is refused: %w", unavailable(err))
	}
	if len(ids) == 0 {
		return perch.Errorf(perch.KindStorageUnavailable, "redis: INFO has no run_id or no master_replid; without them a server "+
			"that has lost its last writes cannot be recognised")
	}
	return nil
}

// checkEviction asks CONFIG, which managed services and careful ACLs refuse, and then
// INFO, which says the same.
func (r *Redis) checkEviction(ctx context.Context) error {
	policy := ""
	if conf, err := r.client.ConfigGet(ctx, "maxmemory-policy").Result(); err == nil {
		policy = conf["maxmemory-policy"]
	}
	if policy == "" {
		info, err := r.client.Info(ctx, "memory").Result()
		if err != nil {
			return fmt.Errorf("redis: INFO memory is refused; allow it to the ACL user (+info): %w", unavailable(err))
		}
		policy = field(info, "maxmemory_policy")
	}
	if policy != "noeviction" {
		return perch.Errorf(perch.KindStorageUnavailable, "redis: maxmemory-policy is %q, so Redis would drop logs and rosters silently when it is full; "+
			"set it to noeviction (redis-cli CONFIG SET maxmemory-policy noeviction, and in redis.conf)", policy)
	}
	return nil
}

// checkWrites takes a made-up session through all that a real one needs, so a missing
// permission shows now and not with the first message.
func (r *Redis) checkWrites(ctx context.Context) error {
	err := r.rehearse(ctx, sessions.ID("check-"+newEpoch()))
	switch {
	case err == nil:
		return nil
	case isReply(err, replyReadOnly):
		return fmt.Errorf("redis: this is a read-only replica; give the master, or use redis+sentinel:// or redis+cluster://: %w", err)
	case isReply(err, replyOOM):
		return fmt.Errorf("redis: it is out of memory; raise maxmemory or remove data: %w", err)
	case verdictOf(err) == refused: // what a script may not do has no code of its own
		return fmt.Errorf("redis: a test write is refused; does the ACL user lack a permission? The ACL line is in docs/redis.md: %w", err)
	}
	return fmt.Errorf("redis: a test write failed: %w", err)
}

func (r *Redis) rehearse(ctx context.Context, id sessions.ID) (err error) {
	token := string(id)
	defer func() {
		if ferr := r.Forget(ctx, id); err == nil {
			err = ferr
		}
	}()
	saved, _, err := r.open(ctx, id, sessions.OpenOptions{Owner: "check/1"}, &commitSequence{})
	if err != nil {
		return err
	}
	e := perch.NewEvent(perch.Position{Epoch: saved.Epoch, Offset: 1}, perch.EventSessionState, perch.At(time.Now()), struct{}{})
	j, err := newJob(r, id, &sessions.Commit{
		Fence: saved.Fence, Events: []*perch.Event{e}, Record: &sessions.Record{},
		Contacts:      contacts.Change{Whole: true, Table: contacts.Of([]*contacts.Contact{{Buddy: perch.Buddy{JID: "a@b"}}})},
		Invitations:   sessions.Delta[perch.Invitation]{Del: []string{"c@d"}},
		Conversations: conversations.Change{Whole: true, Table: conversations.Of([]conversations.State{{JID: "a@b"}})},
		Rooms:         sessions.Delta[sessions.StoredRoom]{Put: []*sessions.StoredRoom{{JID: "r@c.d"}}},
		Readers:       sessions.Delta[sessions.StoredReader]{Put: []*sessions.StoredReader{{ID: "a"}}},
		Messages:      []*perch.MessageRecord{{ID: "m"}}, Once: &sessions.Once{Key: "k"}, Release: true,
	}, nil)
	if err != nil {
		return err
	}
	(&commitSequence{epoch: saved.Epoch}).number(j)
	if _, err := r.run(ctx, "commit", r.commit, j.keys, j.stamp(0, r.now(), r.o.Retention.Age)...); err != nil {
		return err
	}
	if _, err := r.Log(ctx, id, 0, 1); err != nil {
		return err
	}
	if _, err := r.Conversations(ctx, id, []perch.JID{"a@b"}); err != nil {
		return err
	}
	if _, err := r.Bind(ctx, token, sessions.Binding{ID: id, Minted: true}); err != nil {
		return err
	}
	if err := r.NoteUses(ctx, []sessions.NotedUse{{Session: id, Token: token}}); err != nil {
		return err
	}
	if _, err := r.Uses(ctx, id); err != nil {
		return err
	}
	if err := r.rehearseNodes(ctx, id); err != nil {
		return err
	}
	return r.probe(ctx)
}

// rehearseNodes does what nodes do, on keys of its own: other nodes must not see it.
func (r *Redis) rehearseNodes(ctx context.Context, id sessions.ID) (err error) {
	keys, node := r.keys.nodes(string(id)), sessions.NodeID("check/1")
	defer func() {
		ferr := r.change(ctx, "forget", func(ctx context.Context) error { return r.client.Unlink(ctx, keys...).Err() })
		err = errors.Join(err, ferr)
	}()
	if err := r.listReleased(ctx, keys, id); err != nil {
		return err
	}
	if _, err := r.beat(ctx, keys, sessions.Node{ID: node}); err != nil {
		return err
	}
	if err := r.leave(ctx, keys, node); err != nil {
		return err
	}
	ticket := sessions.Ticket{Session: id, Expires: perch.At(r.now().Add(time.Minute))}
	if err := r.PutTicket(ctx, string(id), ticket, time.Minute); err != nil {
		return err
	}
	_, err = r.TakeTicket(ctx, string(id))
	return err
}

// field reads a line of INFO.
func field(info, name string) string {
	for line := range strings.Lines(info) {
		if k, v, ok := strings.Cut(line, ":"); ok && k == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
