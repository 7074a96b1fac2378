package sessions

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/perch-im/perch"
)

// NewMessage is what POST /v1/messages asks for. Key is the idempotency key, or "".
type NewMessage struct {
	ID      string // wanted id, or "" to have one made
	Key     string
	To      perch.JID
	Kind    perch.MessageKind
	Body    string
	Thread  string
	Subject string
	// Details are what it has beside its text, as far as they are the sender's; nil: nothing. They
	// are not changed. ReplyTo needs its Ref alone.
	Details *perch.MessageDetails `json:",omitempty"`

	// OccupantID is for whom a private message in a room is (XEP-0421): when another occupant has the nick of
	// To by now, it is refused. "*" is whoever has the nick, and "" the one who was talked to last under it.
	OccupantID string `json:",omitempty"`

	about perch.Ref // the message that a verb is about
}

// sending is a SendMessage, or a verb of Messages, under way.
type sending struct {
	once   *Once
	also   []string // fingerprints under the other secrets that are known
	entry  *outEntry
	ref    string       // of the message that a verb is about; "": it is a message
	since  perch.Time   // of that message, if it is one in private; 0: else
	check  func() error // what only the owner can tell; nil: nothing
	answer chan sent    // has room for the one answer
}

// refOf is the handle that goes with an id.
func (p *sending) refOf(id string) string {
	if p.ref == "" && p.entry.Kind == perch.GroupchatMessage {
		return "" // the room gives it
	}
	return cmp.Or(p.ref, ownRef(id))
}

type sent struct {
	id  string
	err error
}

// SendMessage puts a message into the outbox and waits for the Store, not for the
// upstream. The same key and body give the same answer and one stanza.
//
// Without a Key the ID, if there is one, is the key. Errors: KindConflict while a call
// with the same key is under way, KindIdempotencyMismatch for a key with another body,
// KindStorageUnavailable when the Store takes no writes (the message is not accepted),
// KindSessionOffline while the session is suspended, KindFeatureUnsupported for a kind
// that the upstream has not, KindValidation for details that it has not, or that cannot be
// sent, KindQuotaExceeded when the outbox is full. While the link is lost messages are accepted,
// and sent in order after the next login.
func (s *Session) SendMessage(ctx context.Context, m NewMessage) (perch.StatusChange, error) {
	details, err := detailsToSend(m.Details)
	if err != nil {
		return perch.StatusChange{}, err
	}
	m.Details = details
	return awaitAccepted(ctx, s, s.m.prepare(s.id, m, nil))
}

// awaitAccepted puts what was prepared into the outbox, and waits for the Store.
func awaitAccepted(ctx context.Context, s *Session, p *sending) (perch.StatusChange, error) {
	if err := s.callErr(ctx, func() error { return s.outbox.accept(p) }); err != nil {
		return perch.StatusChange{}, err
	}
	select {
	case r := <-p.answer:
		if r.err != nil {
			return perch.StatusChange{}, r.err
		}
		return perch.StatusChange{ID: r.id, Ref: p.refOf(r.id), Status: perch.StatusAccepted}, nil
	case <-ctx.Done():
		return perch.StatusChange{}, ctx.Err()
	case <-s.done:
		return perch.StatusChange{}, s.endedError()
	}
}

// prepare makes everything that does not need the owner. A relation is that of a verb.
func (m *Manager) prepare(session ID, msg NewMessage, rel *perch.Relation) *sending {
	if msg.Kind == "" {
		msg.Kind = perch.ChatMessage
	}
	key := ""
	switch {
	case msg.Key != "":
		key = "key:" + msg.Key
	case msg.ID != "":
		key = "id:" + msg.ID
	}
	id := msg.ID
	if id == "" {
		id = m.messageID(session, key)
	}
	p := &sending{answer: make(chan sent, 1)}
	if rel != nil {
		p.ref = msg.about.String()
	}
	if key != "" {
		msg.Key = ""
		body, _ := json.Marshal(struct { // of a message without more it is what earlier versions made of it
			NewMessage
			Relation *perch.Relation `json:",omitempty"`
			About    string          `json:",omitempty"`
		}{msg, rel, p.ref})
		p.once = &Once{Key: key, Fingerprint: m.hash("body", string(session), string(body)).String(), Answer: id}
		for _, h := range m.ring()[1:] {
			p.also = append(p.also, h.hash("body", string(session), string(body)).String())
		}
	}
	p.entry = &outEntry{OutboxEntry: OutboxEntry{ID: id, MessageOut: perch.MessageOut{
		ID: id, To: msg.To, Kind: msg.Kind, Body: msg.Body, Thread: msg.Thread, Subject: msg.Subject, Details: msg.Details, Relation: rel}, Occupant: occupantWanted(msg.OccupantID)}}
	now := perch.At(time.Now())
	p.entry.record = &perch.MessageRecord{ID: id, Ref: p.refOf(id), To: msg.To, Status: perch.StatusAccepted,
		History: []perch.StatusChange{{Status: perch.StatusAccepted, Time: now}}}
	return p
}

// accept queues the one commit that makes the message ours.
func (o *outbox) accept(p *sending) error {
	if err := o.mayAccept(p); err != nil {
		return err
	}
	e := p.entry
	o.seq++
	e.Seq = o.seq
	e.Receipt = e.Kind == perch.ChatMessage && !o.host.chatOnly() && (e.Relation == nil || e.Relation.Kind == perch.RelationEdit)
	o.fillReplyFrom(&e.MessageOut)
	// While online it is written right after the commit, which saves marking it.
	l := o.host.stream()
	e.Sent = l != nil && l.live && !o.waitsForRoom(e)
	if p.once != nil {
		if o.running == nil {
			o.running = map[string]string{}
		}
		o.running[p.once.Key] = p.once.Fingerprint
	}
	o.accepting += outCost(&e.MessageOut)
	row := e.OutboxEntry
	c := Commit{Outbox: Delta[OutboxEntry]{Put: []*OutboxEntry{&row}}, Messages: []*perch.MessageRecord{e.record}, Once: p.once}
	o.journal.Exclusive(c, func(r Result) { o.accepted(p, r) })
	return nil
}

func (o *outbox) mayAccept(p *sending) error {
	e := p.entry
	if o.host.chatOnly() {
		if err := fitsChatOnly(&e.MessageOut); err != nil {
			return err
		}
		e.Details = nil // what is left are wishes that it cannot tell: markable, unstyled
	}
	if p.check != nil {
		if err := p.check(); err != nil {
			return err
		}
	}
	if p.once != nil {
		if fp, ok := o.running[p.once.Key]; ok {
			if !p.same(fp) {
				return errMismatch
			}
			return perch.Errorf(perch.KindConflict, "the same message is being accepted by another request; ask again in a moment")
		}
	}
	if err := o.host.accepts(); err != nil {
		return err
	}
	if o.blocked != nil && o.blocked.blocks(e.To) {
		return errBlocked
	}
	if o.toRoom(&e.MessageOut) {
		if err := o.rooms.mayAccept(e.To); err != nil {
			return err
		}
	}
	if o.record(e.ID) == nil { // else it is said once more
		if err := o.addressed(p); err != nil {
			return err
		}
	}
	switch {
	case len(o.entries)+len(o.running) >= maxOutbox:
		return perch.Errorf(perch.KindQuotaExceeded, "%d messages wait to be sent already", maxOutbox)
	case o.cost()+outCost(&e.MessageOut) > outboxBytes:
		return perch.Errorf(perch.KindQuotaExceeded, "messages of %d MiB wait to be sent already", outboxBytes>>20)
	}
	return nil
}

// same reports whether a fingerprint is that of this message, under whatever secret.
func (p *sending) same(fingerprint string) bool {
	return fingerprint == p.once.Fingerprint || slices.Contains(p.also, fingerprint)
}

var errMismatch error = perch.Errorf(perch.KindIdempotencyMismatch, "this key was used for another message")

// accepted is the answer of the Store.
func (o *outbox) accepted(p *sending, r Result) {
	o.accepting -= outCost(&p.entry.MessageOut)
	if p.once != nil {
		delete(o.running, p.once.Key)
	}
	switch {
	case r.Err != nil:
		p.answer <- sent{err: r.Err}
	case r.Existing == nil:
		o.entries = append(o.entries, p.entry)
		p.answer <- sent{id: p.entry.ID}
		if o.toRoom(&p.entry.MessageOut) && o.rooms.mayAccept(p.entry.To) != nil {
			o.notInRoom(p.entry) // not any more: it was, before the Store had it
		}
		o.flush()
	case !p.same(r.Existing.Fingerprint):
		p.answer <- sent{err: errMismatch}
	case o.record(r.Existing.Answer) != nil:
		p.answer <- sent{id: r.Existing.Answer}
	default:
		o.reaccept(p, r.Existing.Answer)
	}
}

// reaccept is for a message that the Store has and the owner does not know: nearly always one
// that went its way long ago. But if the answer of the Store was lost when it was accepted,
// it has never been sent: then it is taken over now.
func (o *outbox) reaccept(p *sending, id string) {
	o.host.background(func(ctx context.Context) {
		r, err := o.store.Message(ctx, o.id, id)
		o.host.post(func() {
			if err == nil && r.Status == perch.StatusAccepted && o.record(id) == nil {
				e := p.entry
				e.ID, e.MessageOut.ID, e.record, e.Sent = id, id, r, false
				row := e.OutboxEntry
				put(&o.journal.Change().Outbox, outboxKey, &row)
				o.entries = append(o.entries, e)
				o.flush()
			}
			p.answer <- sent{id: id}
		})
	})
}

// Message returns the record of a message that we sent; KindNotFound if there is none.
func (s *Session) Message(ctx context.Context, id string) (*perch.MessageRecord, error) {
	var r *perch.MessageRecord
	if err := s.call(ctx, func() { r = s.outbox.record(id) }); err != nil {
		return nil, err
	}
	if r != nil {
		return r, nil
	}
	r, err := s.m.o.Store.Message(ctx, s.id, id)
	return r, storeError(err)
}
