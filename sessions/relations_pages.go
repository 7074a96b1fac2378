package sessions

import (
	"github.com/perch-im/perch"
)

// MergeArchive merges the control messages among items of the archive, oldest first, into the messages
// that they are about, as live events are merged. Merged are the messages, with their refs, and
// what cannot be shown; a control message of somebody who may not say it is among that, with the
// reason [perch.DroppedNotAuthor]. Relations are those whose message is not among the items, each with
// the ref of that message: who has it can merge them. Own is the address of the account. The items
// stay as they are.
func MergeArchive(items []perch.ArchiveItem, own perch.JID) (merged, relations []perch.ArchiveItem) {
	p := archiveMerge{own: own, places: map[string][]int{}, states: map[int]*relationState{}}
	for i := range items {
		if it := items[i]; it.Relation == nil || it.Dropped != "" {
			p.add(it)
		}
	}
	for i := range items {
		if it := items[i]; it.Relation != nil && it.Dropped == "" {
			p.relate(it)
		}
	}
	for i, s := range p.states {
		s.into(&p.merged[i].Message)
	}
	return p.inOrder(), p.relations
}

// archiveMerge is a MergeArchive under way.
type archiveMerge struct {
	own       perch.JID
	merged    []perch.ArchiveItem
	places    map[string][]int // of the messages with an id, in merged
	states    map[int]*relationState
	relations []perch.ArchiveItem
	dropped   []perch.ArchiveItem
}

// add takes a message, or something that cannot be shown.
func (p *archiveMerge) add(it perch.ArchiveItem) {
	if it.Dropped == "" {
		it.Ref = perch.RefOf(&it.Message, it.Sent)
		fillReply(&it.Message, p.own, conversationOf(&it.Message, it.Sent))
		if it.Kind == perch.GroupchatMessage {
			p.addInRoom(&it)
		} else if it.ID != "" {
			p.places[it.ID] = append(p.places[it.ID], len(p.merged))
		}
	}
	p.merged = append(p.merged, it)
}

// relate takes a control message.
func (p *archiveMerge) relate(it perch.ArchiveItem) {
	if it.Kind == perch.GroupchatMessage {
		p.relateInRoom(it)
		return
	}
	if it.Relation.Moderated {
		p.relations = append(p.relations, it) // of nobody who could be known here
		return
	}
	ref, known, may := targetOf(&it.MessageIn, p.authorsOf(&it))
	if !may {
		it.Dropped, it.Relation = perch.DroppedNotAuthor, nil
		it.Body, it.Subject, it.MessageDetails = "", "", nil
		p.dropped = append(p.dropped, it)
		return
	}
	if !known {
		it.Ref = ref.String()
		p.relations = append(p.relations, it)
		return
	}
	i := p.find(&it, ref)
	if p.states[i] == nil {
		p.states[i] = &relationState{}
	}
	p.states[i].apply(&it.MessageIn, sentTime(&it.Message, it.Time), false)
}

// authorsOf says whose messages with the id of a target are among the items.
func (p *archiveMerge) authorsOf(it *perch.ArchiveItem) (a authors) {
	for _, i := range p.places[it.Relation.Target] {
		m := &p.merged[i]
		switch {
		case !conversationOf(&m.Message, m.Sent).Equal(conversationOf(&it.Message, it.Sent)):
			a.others = true
		case !it.Sent && !m.Sent && it.Room != nil && m.Room != nil && it.Room.OccupantID != m.Room.OccupantID:
			a.others = true // who had the nick in a room then
		case m.Sent:
			a.own = true
		default:
			a.peer = true
		}
	}
	return a
}

// find is the place of the message that a ref means: of several with one id the last one before the
// control message.
func (p *archiveMerge) find(it *perch.ArchiveItem, ref perch.Ref) (place int) {
	found := false
	for _, i := range p.places[ref.ID] {
		m := &p.merged[i]
		if m.Sent == ref.Sent && conversationOf(&m.Message, m.Sent).Equal(conversationOf(&it.Message, it.Sent)) && (!found || m.Time <= it.Time) {
			place, found = i, true
		}
	}
	return place
}

// inOrder puts what was dropped at the place that its time gives it.
func (p *archiveMerge) inOrder() []perch.ArchiveItem {
	if len(p.dropped) == 0 {
		return p.merged
	}
	return sorted(append(p.merged, p.dropped...))
}
