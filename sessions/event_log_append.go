package sessions

import "github.com/perch-im/perch"

// Durable implements journal.
func (l *eventLog) Durable(typ perch.EventType, data any) { l.durableAt(typ, l.host.now(), data) }

func (l *eventLog) durableAt(typ perch.EventType, at perch.Time, data any) {
	e := perch.NewEvent(perch.Position{Epoch: l.epoch, Offset: l.next + 1}, typ, at, data)
	if m, ok := data.(*perch.Message); ok {
		e.Common = m.Kind == perch.GroupchatMessage
	}
	l.next++ // not before: an event that cannot be made must not leave a hole
	b := l.gathering()
	b.commit.Events = append(b.commit.Events, e)
	l.append(b, e)
	l.tell(&b.commit, typ, at, data)
}

// tell tells who keeps something for each event.
func (l *eventLog) tell(c *Commit, typ perch.EventType, at perch.Time, data any) {
	for _, f := range l.noted {
		f(c, typ, at, data)
	}
}

// note is tell for what would have been an event, and is left out of the log by what the user wants.
func (l *eventLog) note(typ perch.EventType, at perch.Time, data any) {
	l.tell(&l.gathering().commit, typ, at, data)
}

// Ephemeral implements journal.
func (l *eventLog) Ephemeral(typ perch.EventType, key string, data any) {
	if !l.host.watched() {
		return
	}
	e := perch.NewEvent(perch.Position{}, typ, l.host.now(), data)
	e.Key = key
	l.append(l.gathering(), e)
}

// append adds an event to those that are published with b.
func (l *eventLog) append(b *batch, e *perch.Event) {
	b.publish = append(b.publish, e)
	b.bytes += len(e.Wire)
	l.events++
	l.bytes += len(e.Wire)
}

// Change implements journal.
func (l *eventLog) Change() *Commit { return &l.gathering().commit }

// AfterCommit implements journal.
func (l *eventLog) AfterCommit(f func(Result)) {
	b := l.gathering()
	b.after = append(b.after, f)
}

// afterDrain runs f when nothing is left to commit.
func (l *eventLog) afterDrain(f func()) { l.drained = append(l.drained, f) }

// applied counts a stanza whose effects are in the batch that gathers.
func (l *eventLog) applied() {
	l.gathering().taken++
	l.taken++
}

// cover says that all stanzas of a link up to seq are in the batch that gathers, or before it:
// when that is committed, they may be acknowledged.
func (l *eventLog) cover(k *link, seq uint64) *batch {
	b := l.gathering()
	b.link, b.seq = k, seq
	return b
}

// addCard puts a vCard of n bytes into the batch that gathers.
func (l *eventLog) addCard(card *perch.VCard, n int) {
	b := l.gathering()
	put(&b.commit.VCards, vcardKey, card)
	b.cards += n
	l.cards += n
}

// Exclusive implements journal.
func (l *eventLog) Exclusive(c Commit, f func(Result)) {
	l.queue = append(l.queue, &batch{commit: c, exclusive: true, after: []func(Result){f}})
}
