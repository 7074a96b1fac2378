package sessions

import (
	"cmp"

	"github.com/perch-im/perch"
)

// restore takes the merged state over from the end of the log, oldest first, when the session is
// opened. The events carry it.
func (r *relations) restore(events []*perch.Event, own perch.JID) {
	for _, e := range events {
		switch e.Type {
		case perch.EventMessageRead:
			var d perch.MessageRead
			if e.Decode(&d) == nil && d.Conversation != "" {
				p := r.remembered().read(d.Conversation)
				p.ref = d.Ref
				if ref, err := perch.ParseRef(d.Ref); err == nil {
					p.at = r.known.authorsOf(ref.ID, own, d.Conversation, nil).sentAt
				}
			}
		case perch.EventRoomInvited:
			var d perch.RoomInvitation
			if e.Decode(&d) == nil {
				r.remembered().invited(&d, e.Time)
			}
		default:
			if l := relationOf(e, own); l != nil {
				r.restoreOne(l, own, e.Position.Offset)
			}
		}
	}
}

func (r *relations) restoreOne(l *loggedRelation, own perch.JID, offset uint64) {
	ref, err := perch.ParseRef(l.ref)
	if err != nil {
		return
	}
	conversation := conversationOf(&l.in.Message, l.in.Sent)
	a := r.known.authorsOf(ref.ID, own, conversation, nil)
	e := r.remembered().newest(conversation, ref, ref.Room || ref.Sent && a.own || !ref.Sent && a.peer)
	e.id = cmp.Or(e.id, cloned(l.in.Relation.Target))
	before := e.cost()
	l.restore(&e.relationState)
	e.changedBy(offset)
	r.table.grown(e, before)
}

// loggedRelation is a control message as its event in the log shows it; in has its own ids.
type loggedRelation struct {
	in       perch.MessageIn
	ref      string
	at       perch.Time // of the event
	edited   *perch.Edited
	text     *perch.Message
	reverted *perch.Retracted
	all      []perch.Reaction
}

// relationOf reads the event of a control message; nil: it is another one.
func relationOf(e *perch.Event, own perch.JID) *loggedRelation {
	l := &loggedRelation{at: e.Time}
	var ok bool
	switch e.Type {
	case perch.EventMessageEdited:
		ok = l.readEdit(e, own)
	case perch.EventMessageRetracted:
		ok = l.readRetraction(e, own)
	case perch.EventMessageReactions:
		ok = l.readReactions(e, own)
	}
	if !ok {
		return nil
	}
	return l
}

func (l *loggedRelation) readEdit(e *perch.Event, own perch.JID) bool {
	var m perch.Message
	if e.Decode(&m) != nil || m.MessageDetails == nil || m.Edited == nil {
		return false
	}
	l.ref, l.text, l.edited, l.all = m.Ref, &m, m.Edited, m.Reactions
	l.in = perch.MessageIn{Message: m, Sent: m.From.Bare().Equal(own.Bare()), Relation: &perch.Relation{Kind: perch.RelationEdit, Target: m.ID}}
	l.in.ID = m.Edited.OriginID
	l.archivedAs(m.Edited.StanzaID)
	return true
}

func (l *loggedRelation) readRetraction(e *perch.Event, own perch.JID) bool {
	var d perch.MessageRetracted
	if e.Decode(&d) != nil || d.Ref == "" {
		return false
	}
	l.ref, l.reverted = d.Ref, &d.Retracted
	l.in = betweenOf(d.By, d.Conversation, own, d.Ref)
	l.in.ID = d.OriginID
	l.archivedAs(d.StanzaID)
	l.in.Relation = &perch.Relation{Kind: perch.RelationRetraction, Target: d.ID}
	return true
}

func (l *loggedRelation) readReactions(e *perch.Event, own perch.JID) bool {
	var d perch.MessageReactions
	if e.Decode(&d) != nil || d.Ref == "" {
		return false
	}
	l.ref, l.all = d.Ref, d.Reactions
	l.in = betweenOf(d.From, d.Conversation, own, d.Ref)
	l.in.ID = d.OriginID
	l.archivedAs(d.StanzaID)
	l.in.Relation = &perch.Relation{Kind: perch.RelationReactions, Target: d.ID, Emojis: d.Emojis}
	return true
}

// archivedAs sets the id of a control message in the archive of the account, or of its room.
func (l *loggedRelation) archivedAs(id string) {
	l.in.StanzaID, l.in.RoomStanzaID = id, ""
	if l.in.Kind == perch.GroupchatMessage {
		l.in.StanzaID, l.in.RoomStanzaID = "", id
	}
}

// inRoom reports whether a handle is that of a message of a room.
func inRoom(name string) bool {
	ref, err := perch.ParseRef(name)
	return err == nil && ref.Room
}

// betweenOf is a message of a conversation with nothing but its addresses.
func betweenOf(from, conversation, own perch.JID, about string) perch.MessageIn {
	in := perch.MessageIn{Message: perch.Message{From: from, To: own.Bare()}}
	switch {
	case !conversation.IsBare():
		in.Room = &perch.MessageRoom{Nick: conversation.Resource()}
	case inRoom(about):
		in.Kind, in.To = perch.GroupchatMessage, conversation
	}
	if from.Bare().Equal(own.Bare()) && !conversation.Equal(own.Bare()) {
		in.Sent, in.To = true, conversation
	}
	return in
}

// restore is the merged state after this event.
func (l *loggedRelation) restore(s *relationState) {
	switch l.in.Relation.Kind {
	case perch.RelationRetraction:
		*s = relationState{retracted: l.reverted}
	case perch.RelationEdit:
		s.edited, s.text, s.reactions = l.edited, l.text, l.all
	case perch.RelationReactions:
		s.reactions = l.all
		l.in.Relation.Emojis = reactionSet(l.in.Relation.Emojis)
		by := speakerOf(&l.in)
		for i := range s.reacted {
			if s.reacted[i].by.Equal(by) {
				s.reacted[i].at = l.at
				return
			}
		}
		s.reacted = append(s.reacted, reactedAt{by, l.at})
	}
}

// loggedRelated is the identity of a control message in the log.
func loggedRelated(l *loggedRelation, e *perch.Event, own perch.JID) identity {
	path := pathStream
	switch {
	case l.in.Source == perch.SourceArchive:
		path = pathArchive
	case l.in.Delay != nil:
		path = pathRepeat
	case l.in.Sent && l.in.From.Equal(own):
		path = pathOwn
	}
	c := identityOf(&l.in.Message, path, e.Time)
	c.text, c.at, c.vague = relationText(&l.in), e.Time, false
	c.paths |= isRelation
	return c
}

// relationText stands for the text of a control message: who says what about which message.
func relationText(in *perch.MessageIn) uint64 {
	rel := in.Relation
	said := []string{"relation", string(rel.Kind), rel.Target, string(in.From.Bare().Key()), string(conversationOf(&in.Message, in.Sent).Key())}
	switch rel.Kind {
	case perch.RelationEdit:
		said = append(said, in.Body, in.Subject)
	case perch.RelationReactions:
		said = append(said, reactionSet(rel.Emojis)...)
	}
	return hashOf(said...)
}
