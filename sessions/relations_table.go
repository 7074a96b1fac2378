package sessions

import (
	"slices"
	"strings"

	"github.com/perch-im/perch"
)

const (
	maxRelated   = 256      // messages whose relations are remembered
	relatedBytes = 64 << 10 // of the texts of their corrections
	maxPeerReads = 256      // conversations whose last displayed marker is remembered
)

// relationTable are the messages that have relations, as far as they are remembered, oldest first,
// and how far other sides have read. What is not in it any more is merged from then on as if it had
// no relations before.
type relationTable struct {
	list  []*related
	bytes int // of the texts
	reads []peerRead
	rooms []roomInvited // the last invitations to rooms
}

// related is one message that has relations.
type related struct {
	relationState
	conversation perch.JID // bare
	ref          string
	id           string
	// orphan says that the message was not known when it was related to, so that it may still come.
	orphan bool
	since  uint64 // offset of the first event about it, in this log
}

// peerRead is a message that the other side has seen last.
type peerRead struct {
	conversation perch.JID
	ref          string
	at           perch.Time // of that message
}

// find returns what is remembered of a message, or nil.
func (t *relationTable) find(conversation perch.JID, ref string) *related {
	if t == nil {
		return nil
	}
	for _, e := range slices.Backward(t.list) {
		if e.ref == ref && e.conversation.Equal(conversation) {
			return e
		}
	}
	return nil
}

// newest returns what is remembered of a message, as the newest that has changed; a new one when
// there is nothing.
func (t *relationTable) newest(conversation perch.JID, ref perch.Ref, known bool) *related {
	name := ref.String()
	if e := t.find(conversation, name); e != nil {
		t.list = append(slices.DeleteFunc(t.list, func(x *related) bool { return x == e }), e)
		return e
	}
	if len(t.list) >= maxRelated {
		t.bytes -= t.list[0].cost()
		t.list = slices.Delete(t.list, 0, 1)
	}
	e := &related{conversation: cloned(conversation), ref: name, id: strings.Clone(ref.ID), orphan: !known}
	t.list = append(t.list, e)
	return e
}

// changedBy notes that an event is about the message. One of a log that was lost does not count.
func (e *related) changedBy(offset uint64) {
	if e.since == 0 || e.since > offset {
		e.since = offset
	}
}

// since is the offset of the oldest event that is about a message in the table, of which the last one
// was changed by the event at tip, if any was; 0: there is none.
func (t *relationTable) since(tip uint64) (offset uint64) {
	if t == nil || len(t.list) == 0 {
		return 0
	}
	t.list[len(t.list)-1].changedBy(tip)
	for _, e := range t.list {
		if offset == 0 || e.since != 0 && e.since < offset {
			offset = e.since
		}
	}
	return offset
}

func (e *related) cost() int {
	if e.text == nil {
		return 0
	}
	return messageCost(&perch.MessageIn{Message: *e.text})
}

// grown counts the text of e, which had another cost before, and forgets the oldest texts when
// there are too many.
func (t *relationTable) grown(e *related, before int) {
	t.bytes += e.cost() - before
	for _, old := range t.list {
		if t.bytes <= relatedBytes {
			return
		}
		t.bytes -= old.cost()
		old.text = nil
	}
}

// read is the entry of a conversation, a new one when there is none.
func (t *relationTable) read(conversation perch.JID) *peerRead {
	for i := range t.reads {
		if t.reads[i].conversation.Equal(conversation) {
			return &t.reads[i]
		}
	}
	if len(t.reads) >= maxPeerReads {
		t.reads = slices.Delete(t.reads, 0, 1)
	}
	t.reads = append(t.reads, peerRead{conversation: cloned(conversation)})
	return &t.reads[len(t.reads)-1]
}
