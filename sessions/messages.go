package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// Messages is what can be done about earlier messages of a session. Its methods are safe for
// concurrent use.
type Messages struct{ s *Session }

// MessagesOf returns the messages of a session.
func MessagesOf(s *Session) Messages { return Messages{s} }

// Edit replaces the text and the details of an own message (XEP-0308). It goes through the outbox as
// a message of its own id and key does: the answer waits for the Store, its ID is that of the
// correction, its Ref that of the message, and message.status follows it to its end. The same key and
// arguments give the same answer and one stanza. m.To is not used. message.edited is made when the
// correction is sent.
//
// Errors: those of SendMessage; KindForbidden for a message of somebody else, KindConflict for one
// that was retracted, KindValidation for one that cannot be named, or without a new text,
// KindFeatureUnsupported where the upstream has chat messages only; of a room also KindNotFound.
func (ms Messages) Edit(ctx context.Context, conversation perch.JID, ref perch.Ref, m NewMessage) (perch.StatusChange, error) {
	details, err := detailsToSend(m.Details)
	if err != nil {
		return perch.StatusChange{}, err
	}
	m.Details = details
	v := verb{conversation: conversation, ref: ref, relation: &perch.Relation{Kind: perch.RelationEdit, Target: ref.ID}}
	return ms.do(ctx, v, m, func() error {
		if m.Body == "" && (m.Details == nil || len(m.Details.Attachments) == 0 && m.Details.Encryption == nil) {
			return perch.Invalid("/body", "is needed: the new text")
		}
		return nil
	})
}

// Retract retracts an own message (XEP-0424). Of m only the ID and the Key are used. All else, the
// errors too, is as with Edit; to retract a message once more is no error.
func (ms Messages) Retract(ctx context.Context, conversation perch.JID, ref perch.Ref, reason string, m NewMessage) (perch.StatusChange, error) {
	v := verb{conversation: conversation, ref: ref, relation: &perch.Relation{Kind: perch.RelationRetraction, Target: ref.ID, Reason: reason}}
	return ms.do(ctx, v, NewMessage{ID: m.ID, Key: m.Key}, func() error { return nil })
}

// React makes these emojis the own reactions to a message of either side (XEP-0444); none: there are
// no more. Of m only the ID and the Key are used. All else is as with Edit.
func (ms Messages) React(ctx context.Context, conversation perch.JID, ref perch.Ref, emojis []string, m NewMessage) (perch.StatusChange, error) {
	v := verb{conversation: conversation, ref: ref, relation: &perch.Relation{Kind: perch.RelationReactions, Target: ref.ID, Emojis: reactionSet(emojis)}}
	return ms.do(ctx, v, NewMessage{ID: m.ID, Key: m.Key}, func() error {
		if len(emojis) > perch.MaxReactions {
			return perch.Invalid("/emojis", "has more than %d", perch.MaxReactions)
		}
		if slices.ContainsFunc(emojis, func(e string) bool { return e == "" || len(e) > perch.MaxReactionBytes }) {
			return perch.Invalid("/emojis", "each has 1 to %d bytes", perch.MaxReactionBytes)
		}
		return nil
	})
}

// verb is something that is done about a message.
type verb struct {
	conversation perch.JID
	ref          perch.Ref
	relation     *perch.Relation
	inRoom       bool // also with a ref that is no room's, see aim
	occupantID   string
	at           perch.Time // of a private message of a room; 0: it is none
}

// do puts a verb into the outbox. What the upstream cannot do comes before what is wrong with it.
func (ms Messages) do(ctx context.Context, v verb, m NewMessage, valid func() error) (perch.StatusChange, error) {
	if err := ms.aim(ctx, &v); err != nil {
		return perch.StatusChange{}, err
	}
	m.To, m.about, m.OccupantID = v.conversation, v.ref, v.occupantID
	if v.ref.Room || v.inRoom {
		m.Kind = perch.GroupchatMessage
	}
	p := ms.s.m.prepare(ms.s.id, m, v.relation)
	p.since = v.at
	p.check = func() error {
		if err := v.mayBe(); err != nil {
			return err
		}
		if err := valid(); err != nil {
			return err
		}
		if ms.s.outbox.record(p.entry.ID) == nil && v.comesTooLate(ms.s) {
			return perch.Errorf(perch.KindConflict, "this message was taken back")
		}
		return nil
	}
	return awaitAccepted(ctx, ms.s, p)
}

// mayBe is why a verb cannot be done about its message, whatever has become of that; nil: it can.
func (v *verb) mayBe() error {
	switch {
	case v.ref.Room:
		return nil // see aim
	case v.relation.Kind != perch.RelationReactions && !v.ref.Sent:
		return perch.Errorf(perch.KindForbidden, "this is not a message of your own")
	case v.ref.ID == "":
		return perch.Invalid("{ref}", "is of a message without an id, to which nothing can refer")
	}
	return nil
}

// comesTooLate reports whether the message was retracted, or will be by what waits in the outbox. To
// retract it once more is never too late. Only the owner may call it.
func (v *verb) comesTooLate(s *Session) bool {
	if v.relation.Kind == perch.RelationRetraction {
		return false
	}
	if e := s.relations.table.find(s.rooms.withWhom(v.conversation), v.ref.String()); e != nil && e.retracted != nil {
		return true
	}
	return slices.ContainsFunc(s.outbox.entries, func(e *outEntry) bool {
		return e.Relation != nil && e.Relation.Kind == perch.RelationRetraction && (v.ref.Sent && e.Relation.Target == v.ref.ID ||
			v.ref.Room && e.Relation.Target == v.ref.StanzaID) && e.To.Bare().Equal(v.conversation.Bare())
	})
}
