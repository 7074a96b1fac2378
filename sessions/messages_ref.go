package sessions

import (
	"bytes"
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// Bounds of the search for one message by its handle.
const (
	refEvents = 2048 // events of the log, from its end
	refPages  = 10   // pages of the archive with the conversation, from its end
	refPage   = 100  // messages of a page
)

// ByRef returns a message of a conversation by its handle, with what was said of it since, and when it
// was sent or arrived: from the log, or else from the archive, for which it waits. Both are searched
// backwards, and so far only: KindNotFound is also that of a message of long ago. KindSessionOffline:
// it is not in the log, and the archive cannot be asked just now.
func (ms Messages) ByRef(ctx context.Context, conversation perch.JID, ref perch.Ref) (*perch.Message, perch.Time, error) {
	name := ref.String()
	if name == "" {
		return nil, 0, errNoMessage
	}
	var tip uint64
	var own perch.JID
	if err := ms.s.call(ctx, func() {
		tip, own, conversation = ms.s.log.published, ms.s.state.JID, ms.s.rooms.withWhom(conversation)
	}); err != nil {
		return nil, 0, err
	}
	l := loggedMessage{conversation: conversation, ref: name, own: own}
	if err := l.search(ctx, ms.s.m.o.Store, ms.s.id, tip); err != nil {
		return nil, 0, err
	}
	if m, at := l.message(); m != nil {
		return m, at, nil
	}
	conn, err := ms.s.request(ctx, "keep an archive", func(c perch.Capabilities) bool { return c.Archive == archivePaged })
	if perch.KindOf(err) == perch.KindFeatureUnsupported {
		return nil, 0, errNoMessage
	}
	if err != nil {
		return nil, 0, err
	}
	ask := conn.Archive
	if ref.Room {
		ask = func(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
			q.With = ""
			return RoomsOf(ms.s).Archive(ctx, conversation, q)
		}
	}
	return archivedMessage(ctx, ask, conversation, name, own)
}

var errNoMessage error = perch.Errorf(perch.KindNotFound, "neither the event log nor the archive has a message with this ref, as far back as they are searched")

// loggedMessage is a message as the log has it: each field is what the newest event says.
type loggedMessage struct {
	conversation, own perch.JID
	ref               string

	first     *perch.Message // as it came
	at        perch.Time
	edited    *perch.Message
	retracted *perch.Retracted
	reactions *perch.MessageReactions
}

// search reads the log backwards from its tip until the message is found.
func (l *loggedMessage) search(ctx context.Context, store logStore, id ID, tip uint64) error {
	for end, read := tip, 0; end > 0 && read < refEvents && l.first == nil; {
		n := min(end, recallPage)
		page, err := store.Log(ctx, id, end-n, int(n))
		if err != nil {
			return storeError(err)
		}
		for _, e := range slices.Backward(page.Events) {
			if l.first == nil && bytes.Contains(e.Wire, []byte(l.ref)) {
				l.read(e)
			}
		}
		if len(page.Events) == 0 || page.First > end-n {
			return nil
		}
		end, read = end-n, read+int(n)
	}
	return nil
}

// read takes an event that is older than all before it.
func (l *loggedMessage) read(e *perch.Event) {
	if m := messageOf(e); m != nil {
		sent := e.Type == perch.EventMessageSent
		if m.Ref == l.ref && conversationOf(m, sent).Equal(l.conversation) {
			l.first, l.at = m, sentTime(m, e.Time)
		}
		return
	}
	r := relationOf(e, l.own)
	if r == nil || r.ref != l.ref || !conversationOf(&r.in.Message, r.in.Sent).Equal(l.conversation) {
		return
	}
	switch {
	case r.text != nil && l.edited == nil:
		l.edited = r.text
	case r.reverted != nil && l.retracted == nil:
		l.retracted = r.reverted
	case r.in.Relation.Kind == perch.RelationReactions && l.reactions == nil:
		l.reactions = &perch.MessageReactions{Reactions: r.all}
	}
}

// message merges what was found; nil: the message is not in the log.
func (l *loggedMessage) message() (*perch.Message, perch.Time) {
	m, at := l.first, l.at
	if m == nil && l.edited != nil {
		m, at = l.edited, l.edited.Edited.At // shown as a message when it came
	}
	if m == nil {
		return nil, 0
	}
	s := relationState{text: l.edited, retracted: l.retracted}
	for _, d := range []*perch.Message{l.first, l.edited} {
		if d != nil && d.MessageDetails != nil {
			s.edited, s.reactions = d.Edited, d.Reactions
			if d.Retracted != nil {
				s.retracted = d.Retracted
			}
		}
	}
	if l.reactions != nil {
		s.reactions = l.reactions.Reactions
	}
	merged := *m
	s.into(&merged)
	return &merged, at
}

// archivedMessage looks for a message in the archive, from its end.
func archivedMessage(ctx context.Context, ask func(context.Context, perch.ArchiveQuery) (perch.ArchivePage, error), conversation perch.JID, ref string, own perch.JID) (*perch.Message, perch.Time, error) {
	var items []perch.ArchiveItem
	q := perch.ArchiveQuery{With: conversation, Limit: refPage}
	for range refPages {
		page, err := ask(ctx, q)
		if err != nil {
			return nil, 0, err
		}
		items = append(page.Items, items...)
		merged, _ := MergeArchive(page.Items, own)
		if slices.ContainsFunc(merged, func(it perch.ArchiveItem) bool { return it.Dropped == "" && it.Ref == ref }) {
			break
		}
		if page.Complete || page.First == "" || page.First == q.Before {
			return nil, 0, errNoMessage
		}
		q.Before = page.First
	}
	merged, _ := MergeArchive(items, own)
	for i := range slices.Backward(merged) {
		if it := &merged[i]; it.Dropped == "" && it.Ref == ref {
			return &it.Message, it.Time, nil
		}
	}
	return nil, 0, errNoMessage
}
