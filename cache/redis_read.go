package cache

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// Open implements sessions.Store. A log whose end cannot be proved is dropped and a new epoch
// begins: Redis holds less than it has acknowledged to this node, or it is another server, or
// another start of it, than the one that was written last, and this node is not the owner
// that could tell. See docs/redis.md.
func (r *Redis) Open(ctx context.Context, id sessions.ID, t sessions.OpenOptions) (*sessions.Saved, error) {
	saved, released, err := r.open(ctx, id, t, r.writer.sequenceOf(id))
	if err != nil {
		return nil, err
	}
	r.writer.beginSequence(id, saved)
	if released {
		r.dropReleased(ctx, id)
	}
	return saved, nil
}

// open also reports whether the session had been released before.
func (r *Redis) open(ctx context.Context, id sessions.ID, t sessions.OpenOptions, was *commitSequence) (_ *sessions.Saved, released bool, _ error) {
	reply, err := r.run(ctx, "open", r.opening, r.keys.data(id),
		string(id), newEpoch(), ms(r.o.StateTTL), was.epoch, was.fence, was.acked, string(t.Owner), string(t.TakeoverFrom), flag(was.owned),
		latest("contact"), latest("conversation"), latest("room"), latest("reader"), latest("log"))
	switch {
	case err != nil:
		return nil, false, err
	case len(reply) == 2:
		return nil, false, &sessions.HeldError{Owner: sessions.NodeID(text(reply[1]))}
	case len(reply) == 4:
		return nil, false, laterSession(text(reply[1]), text(reply[2]), int(number(reply[3])))
	case len(reply) != 14:
		return nil, false, corrupt(fmt.Errorf("open: %d parts", len(reply)))
	}
	saved, err := decodeSaved(reply)
	return saved, number(reply[8]) == 1, err
}

func decodeSaved(reply []any) (*sessions.Saved, error) {
	saved := &sessions.Saved{Fence: number(reply[0]), Epoch: text(reply[1]), Tip: number(reply[2])}
	if at := text(reply[9]); at != "" {
		saved.Stale, saved.StaleSince = true, perch.Time(number(at))
	}
	var bad [7]error
	if s := text(reply[3]); s != "" {
		var rec *sessions.Record
		if rec, bad[0] = decode[sessions.Record](s); rec != nil {
			saved.Record = *rec
		}
	}
	saved.Contacts, saved.OldRows, bad[1] = decodeContacts(reply[4], reply[5], reply[12])
	saved.Invitations, bad[2] = decodeRows[perch.Invitation](reply[6])
	saved.Outbox, bad[3] = decodeRows[sessions.OutboxEntry](reply[7])
	saved.Conversations, bad[4] = decodeConversations(reply[10])
	saved.Rooms, bad[5] = decodeRooms(reply[11])
	saved.Readers, bad[6] = decodeReaders(reply[13])
	if err := errors.Join(bad[:]...); err != nil {
		return nil, err
	}
	sortRows(saved.Invitations, invitationKey)
	sortRows(saved.Rooms, roomKey)
	sortRows(saved.Readers, readerKey)
	slices.SortStableFunc(saved.Outbox, outboxOrder)
	return saved, nil
}

func sortRows[T any](rows []*T, key func(*T) string) {
	slices.SortFunc(rows, func(a, b *T) int { return strings.Compare(key(a), key(b)) })
}

// Log implements sessions.Store. ErrLost says that there is no record; limit 0 asks for
// the bounds only.
func (r *Redis) Log(ctx context.Context, id sessions.ID, after uint64, limit int) (sessions.LogPage, error) {
	if after >= math.MaxInt64 { // beyond any offset, and beyond what Redis can count
		after, limit = 0, 0
	}
	keep := r.o.Retention
	reply, err := r.run(ctx, "log", logScript, r.keys.data(id)[:2], string(id), after+1, max(limit, 0),
		keep.Events, keep.Bytes, r.now().Add(-keep.Age).UnixMilli())
	switch {
	case err != nil:
		return sessions.LogPage{}, err
	case text(reply[0]) == "LOST":
		return sessions.LogPage{}, sessions.ErrLost
	case len(reply) != 6:
		return sessions.LogPage{}, corrupt(fmt.Errorf("log: %d parts", len(reply)))
	}
	page := sessions.LogPage{Tip: number(reply[1])}
	page.First = page.Tip + 1 - number(reply[2])
	entries, _ := reply[4].([]any)
	at := perch.Position{Epoch: text(reply[3]), Offset: page.First + number(reply[5])}
	for _, entry := range entries {
		e, err := decodeEvent(text(entry), at)
		if err != nil {
			return sessions.LogPage{}, err
		}
		page.Events = append(page.Events, e)
		at.Offset++
	}
	return page, nil
}

// decodeEvent reads an entry of the log: commit time, time, type, envelope.
func decodeEvent(entry string, at perch.Position) (*perch.Event, error) {
	parts := strings.SplitN(entry, " ", 4)
	if len(parts) != 4 {
		return nil, corrupt(fmt.Errorf("log entry at %d: %d parts", at.Offset, len(parts)))
	}
	said, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return nil, corrupt(fmt.Errorf("log entry at %d: %w", at.Offset, err))
	}
	return &perch.Event{Position: at, Time: perch.Time(said), Type: perch.EventType(parts[2]), Wire: []byte(parts[3])}, nil
}

// Message implements sessions.Store.
func (r *Redis) Message(ctx context.Context, id sessions.ID, msg string) (*perch.MessageRecord, error) {
	s, err := r.get(ctx, "message", func(ctx context.Context) (string, error) {
		return r.client.Get(ctx, r.keys.message(id, msg)).Result()
	}, errNoMessage)
	if err != nil {
		return nil, err
	}
	row, err := decode[messageRow](s)
	if err != nil {
		return nil, err
	}
	if row.Session != id || row.Message == nil {
		return nil, corrupt(errors.New("a message record of another session"))
	}
	return row.Message, nil
}

// VCard implements sessions.Store.
func (r *Redis) VCard(ctx context.Context, id sessions.ID, jid perch.JID) (*perch.VCard, error) {
	s, err := r.get(ctx, "vcard", func(ctx context.Context) (string, error) {
		return r.client.HGet(ctx, r.keys.session(id, "vcards"), string(jid.Key())).Result()
	}, errNoVCard)
	if err != nil {
		return nil, err
	}
	row, err := decode[vcardRow](s)
	if err != nil {
		return nil, err
	}
	if row.Card == nil || !row.Card.JID.Equal(jid) {
		return nil, corrupt(errors.New("a vCard of another JID"))
	}
	if row.Card.Photo != nil {
		row.Card.Photo.Data = row.Photo
	}
	return row.Card, nil
}

// get asks for one value; missing is the error when there is none.
func (r *Redis) get(ctx context.Context, op string, f func(context.Context) (string, error), missing error) (s string, err error) {
	err = r.ask(ctx, op, func(ctx context.Context) (err error) {
		s, err = f(ctx)
		return err
	})
	switch {
	case errors.Is(err, redis.Nil):
		return "", missing
	case err != nil:
		return "", unavailable(err)
	}
	return s, nil
}
