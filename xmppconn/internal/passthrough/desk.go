package passthrough

import (
	"strings"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/raw"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// desk is the state of a Listener that clients have listened by.
type desk struct {
	reply       func(encode func([]byte) ([]byte, error))
	noteLeftOut func()

	mu        sync.Mutex
	listening bool
	closed    bool
	leftOut   int // since the last that was not
	tokens    float64
	filled    time.Time
	open      map[asker]*openRequest
	late      map[string]lateAnswer // by the id on the stream
}

// asker tells requests of others apart: ids are those of who asks.
type asker struct {
	from perch.JID // its key
	id   string
}

// openRequest waits for a client to answer it.
type openRequest struct {
	from  perch.JID // as it was on the wire
	timer *time.Timer
}

// lateAnswer is one to a request of a client that was given up.
type lateAnswer struct {
	id    string // as its client has written it
	to    perch.JID
	until time.Time
}

// closedDesk is that of connections which have ended before anybody has listened. It never changes.
var closedDesk = &desk{closed: true}

func newDesk(reply func(encode func([]byte) ([]byte, error)), leftOut func()) *desk {
	return &desk{reply: reply, noteLeftOut: leftOut, tokens: Burst, filled: time.Now(), open: map[asker]*openRequest{}, late: map[string]lateAnswer{}}
}

func (d *desk) listen(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.listening = on && !d.closed
}

func (d *desk) listens() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.listening
}

func (d *desk) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.listening, d.closed = false, true
	for _, q := range d.open {
		q.timer.Stop()
	}
	clear(d.open)
	clear(d.late)
}

// give makes the event, within the bounds; nil: it is left out.
func (d *desk) give(from perch.JID, text string, fits bool) *perch.StanzaIn {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.giveLocked(from, text, fits)
}

func (d *desk) giveLocked(from perch.JID, text string, fits bool) *perch.StanzaIn {
	now := time.Now()
	d.tokens = min(Burst, d.tokens+now.Sub(d.filled).Seconds()*PerSecond)
	d.filled = now
	if !d.listening || !fits || d.tokens < 1 {
		d.leftOut++
		d.noteLeftOut()
		return nil
	}
	d.tokens--
	in := &perch.StanzaIn{RawStanza: perch.RawStanza{From: from, XML: text, LeftOut: d.leftOut}}
	d.leftOut = 0
	return in
}

// request is give for a request, which is open from then on.
func (d *desk) request(in stanza.IQ, text string, fits bool, condition string) *perch.StanzaIn {
	id, from := strings.Clone(in.ID), perch.JID(strings.Clone(string(in.From))) // the rest is not held
	key := asker{from.Key(), id}
	d.mu.Lock()
	defer d.mu.Unlock()
	given := d.giveLocked(from, text, fits && len(d.open) < MaxOpen && d.open[key] == nil)
	if given == nil {
		return nil
	}
	given.AnswerBy = perch.At(time.Now().Add(AnswerTime))
	q := &openRequest{from: from}
	q.timer = time.AfterFunc(AnswerTime, func() {
		if d.expired(key, q) {
			d.reply(func(b []byte) ([]byte, error) { return stanza.AppendIQError(b, id, from, "cancel", condition) })
		}
	})
	d.open[key] = q
	return given
}

// expired ends the time of a request, and reports whether it has had no answer.
func (d *desk) expired(key asker, q *openRequest) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open[key] != q {
		return false
	}
	delete(d.open, key)
	return true
}

// answer answers a request, if it is open. One whose answer cannot be queued stays so.
func (d *desk) answer(s *raw.Stanza, payload []byte, queue func(encode func([]byte) ([]byte, error)) error) (open bool, err error) {
	key := asker{s.To.Key(), s.ID}
	d.mu.Lock()
	defer d.mu.Unlock()
	q := d.open[key]
	if q == nil {
		return false, nil
	}
	err = queue(func(b []byte) ([]byte, error) { return stanza.AppendIQ(b, s.ID, s.Type, q.from, payload) })
	if err == nil {
		q.timer.Stop()
		delete(d.open, key)
	}
	return true, err
}

func (d *desk) expect(id string, s *raw.Stanza) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	for id, a := range d.late {
		if !now.Before(a.until) {
			delete(d.late, id)
		}
	}
	if len(d.late) < MaxLate && !d.closed {
		d.late[id] = lateAnswer{s.ID, s.To, now.Add(LateTime)}
	}
}

func (d *desk) takeLate(in stanza.IQ, me perch.JID) *perch.StanzaIn {
	d.mu.Lock()
	defer d.mu.Unlock()
	a, ok := d.late[in.ID]
	if !ok || !time.Now().Before(a.until) || !stanza.AnswersFor(me, a.to, in.From) {
		return nil
	}
	delete(d.late, in.ID)
	text, err := raw.Answer(in, a.id)
	return d.giveLocked(perch.JID(strings.Clone(string(in.From))), text, err == nil && len(text) <= raw.MaxBytes)
}
