package sessions

import (
	"github.com/perch-im/perch"
)

// DroppedSuperseded counts control messages that change nothing: of a message that was retracted,
// or older than what counts already.
const DroppedSuperseded = "superseded"

// relationsHost is what relations need of the session that they belong to.
type relationsHost interface {
	now() perch.Time
	// durableAt makes an event of the log.
	durableAt(typ perch.EventType, at perch.Time, data any)
	// ownJID is the own address.
	ownJID() perch.JID
	// dropped makes an event of what is lost, and counts it; countDropped only counts.
	dropped(d perch.Dropped)
	countDropped(reason string, n int)
}

// relationRooms says since when the nick of one who is in a room has been theirs, as far as that is known in
// another way than by an id.
type relationRooms interface {
	nickSince(peer perch.JID) perch.Time
}

// relations is the part of a session that makes events of what later messages say of earlier ones:
// corrections, retractions, reactions and displayed markers. Catchup hands it each of them once,
// in the place and order of messages; the outbox hands it the markers.
//
// No messages are stored for it. The handle of a message follows from its id, so all that it
// remembers is the merged state of the last messages that have relations. A session without any
// has no table.
type relations struct {
	host  relationsHost
	known *identities   // the last messages that were logged
	rooms relationRooms // nil: the session uses none
	table *relationTable
}

// remembered is the table, for writing.
func (r *relations) remembered() *relationTable {
	if r.table == nil {
		r.table = &relationTable{}
	}
	return r.table
}

// take makes the event of a control message that is no copy: of what it has changed, or an
// event.dropped when its sender may not say it. Late says that it may be older than some that
// were logged before.
func (r *relations) take(in *perch.MessageIn, now perch.Time, late bool) {
	if in.Kind == perch.GroupchatMessage || in.Relation.Target == "" || in.Relation.Moderated {
		r.drop(in, perch.DroppedUnsupported) // of rooms, or of nothing
		return
	}
	e := r.relatedBy(in)
	if e == nil {
		r.drop(in, perch.DroppedNotAuthor)
		return
	}
	before := e.cost()
	if !e.apply(in, sentTime(&in.Message, now), late) {
		r.table.grown(e, before)
		r.host.countDropped(DroppedSuperseded, 1)
		return
	}
	typ, data := e.event(in)
	r.table.grown(e, before) // not before: there may be no room for the very text that the event has
	// Every change of a message becomes an event here, and nowhere else: a part that has to know of
	// it is told here, so that what it changes is in the same commit.
	r.host.durableAt(typ, now, data)
}

func (r *relations) drop(in *perch.MessageIn, reason string) {
	r.host.dropped(perch.Dropped{Reason: reason, From: in.From, StanzaID: in.StanzaID})
}

// relatedBy is the message that a control message is about; nil: its sender may not say that.
func (r *relations) relatedBy(in *perch.MessageIn) *related {
	conversation, ref, known, may := r.target(in)
	if !may {
		return nil
	}
	return r.remembered().newest(conversation, ref, known)
}

// target is the handle of the message that a control message is about, whether that message is known, and
// whether the sender may say this of it.
func (r *relations) target(in *perch.MessageIn) (conversation perch.JID, ref perch.Ref, known, may bool) {
	conversation = conversationOf(&in.Message, in.Sent)
	since := perch.Time(0)
	if in.Room != nil && r.rooms != nil {
		since = r.rooms.nickSince(conversation)
	}
	ref, known, may = targetOf(in, r.known.authorsOf(in.Relation.Target, r.host.ownJID(), conversation, privatePeerOf(in, since)))
	if may && !known { // but it may have been related to before
		other := perch.Ref{ID: ref.ID, Sent: !ref.Sent}
		if in.Relation.Kind == perch.RelationReactions && r.table.find(conversation, ref.String()) == nil &&
			r.table.find(conversation, other.String()) != nil {
			ref = other
		}
	}
	return conversation, ref, known, may
}

// behind reports whether what is remembered of a message is older than what this account has said of it by the
// control message, which was accepted at a time. It is so when the log was lost, the record of the control message
// was not, and the archive has brought older ones again, whose records are lost, too: without this one they
// would count.
func (r *relations) behind(in *perch.MessageIn, accepted perch.Time) bool {
	conversation, ref, _, may := r.target(in)
	e := r.table.find(conversation, ref.String())
	return may && e != nil && e.olderThan(in, accepted)
}

// event is what the control message that came last has changed.
func (e *related) event(in *perch.MessageIn) (perch.EventType, any) {
	switch in.Relation.Kind {
	case perch.RelationEdit:
		m := *e.text
		m.ID, m.Ref = e.id, e.ref
		if m.Source == "" {
			m.Source = perch.SourceLive
		}
		e.into(&m)
		return perch.EventMessageEdited, &m
	case perch.RelationRetraction:
		return perch.EventMessageRetracted, perch.MessageRetracted{
			Ref: e.ref, ID: e.id, Conversation: e.conversation, Retracted: *e.retracted}
	default:
		reactions := e.reactions
		if reactions == nil {
			reactions = []perch.Reaction{}
		}
		return perch.EventMessageReactions, perch.MessageReactions{
			Ref: e.ref, ID: e.id, Conversation: e.conversation, From: in.From, StanzaID: archiveIDOf(in), OriginID: in.ID,
			Emojis: reactionSet(in.Relation.Emojis), Reactions: reactions}
	}
}

// overtaken merges what was said of a message before it came itself: a server may hand over what
// was on its way to an old connection after what came to the new one. Only one that was held back,
// and is older than what was said of it, can be that message: another one may have the same id.
func (r *relations) overtaken(m *perch.Message, conversation perch.JID) {
	if r.table == nil || m.Delay == nil || m.Delay.Stamp == 0 {
		return
	}
	e := r.table.find(conversation, m.Ref)
	if e == nil || !e.orphan {
		return
	}
	if first := e.first(); first == 0 || m.Delay.Stamp > first+lateSlack {
		return
	}
	e.orphan = false
	e.into(m)
}

// first is when the oldest of what is known of a message was said.
func (s *relationState) first() (at perch.Time) {
	note := func(t perch.Time) {
		if at == 0 || t < at {
			at = t
		}
	}
	if s.edited != nil {
		note(s.edited.At)
	}
	if s.retracted != nil {
		note(s.retracted.At)
	}
	for _, x := range s.reacted {
		note(x.at)
	}
	return at
}
