package sessions

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/perch-im/perch"
)

const (
	limitWindow = time.Minute
	// DefaultRoomDeliveryLimit is how many events of one room a session logs in a minute, see
	// Options.RoomDeliveryLimit.
	DefaultRoomDeliveryLimit = 600
)

// roomLimit is what the operator's limit makes of a loud room: above it only what names the account is
// logged, until the room is quiet again; then the gap is named.
type roomLimit struct {
	on     bool
	count  int // messages in this window
	timer  *time.Timer
	from   string // handle of the last message in the log before
	hidden int    // since then, by the limit
	owed   bool   // the gap has a beginning, and no end yet
}

// show makes the event of a message, or only moves what the list of conversations says of the room.
func (x *roomList) show(r *room, typ perch.EventType, m *perch.Message) bool {
	x.counted(r)
	if !x.wants(r, m) {
		if r.limit.on && !r.hides(m, r.row.Wanted.Delivery, x) {
			r.limit.hidden++
		}
		x.log.noteRoomMessage(typ, m)
		return false
	}
	x.log.logRoomMessage(typ, m)
	x.gapEnds(r, m.Ref)
	return true
}

// wants reports whether a message becomes an event.
func (x *roomList) wants(r *room, m *perch.Message) bool {
	d := r.row.Wanted.Delivery
	if r.limit.on && d != perch.DeliverNone {
		d = perch.DeliverMentions
	}
	return !r.hides(m, d, x)
}

// partial implements roomNews.
func (x *roomList) partial(room perch.JID) bool {
	r := x.find(room)
	return r != nil && (r.limit.on || r.row.Missed != nil || !slices.Contains([]perch.RoomDelivery{"", perch.DeliverAll}, r.row.Wanted.Delivery))
}

// hides reports whether a setting leaves a message out of the log.
func (r *room) hides(m *perch.Message, d perch.RoomDelivery, x *roomList) bool {
	switch d {
	case perch.DeliverNone:
		return true
	case perch.DeliverMentions:
		return !m.Room.Own && !x.named(m)
	}
	return false
}

// named reports whether a message of a room names the account: by its address, or by its nick there as
// a word.
func (x *roomList) named(m *perch.Message) bool { return x.namer(m.From)(m) }

// namer implements roomNews.
func (x *roomList) namer(room perch.JID) func(*perch.Message) bool {
	own, nick := x.host.ownJID(), ""
	if r := x.find(room); r != nil {
		nick = r.row.Nick
	}
	return func(m *perch.Message) bool {
		return mentions(m, own) || m.Kind == perch.GroupchatMessage && nick != "" && hasWord(m.Body, nick)
	}
}

// hasWord reports whether a text has a word, whatever the case of its letters.
func hasWord(text, word string) bool {
	text, word = strings.ToLower(text), strings.ToLower(word)
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		begin, end := from+i, from+i+len(word)
		before, _ := utf8.DecodeLastRuneInString(text[:begin])
		behind, _ := utf8.DecodeRuneInString(text[end:])
		if !inWord(before) && !inWord(behind) {
			return true
		}
		_, size := utf8.DecodeRuneInString(text[begin:])
		from = begin + size
	}
}

func inWord(c rune) bool {
	return c != utf8.RuneError && (unicode.IsLetter(c) || unicode.IsDigit(c) || c == '_')
}

// counted counts a message, and falls back when there are too many.
func (x *roomList) counted(r *room) {
	l := &r.limit
	most := x.most()
	if most <= 0 && !l.on {
		return
	}
	if l.count++; l.timer == nil {
		l.timer = x.host.after(limitWindow, func() { x.windowEnds(r) })
	}
	if most > 0 && l.count > most && !l.on {
		if !l.owed {
			l.hidden = 0
		}
		l.on, l.owed = true, false // a gap without an end goes on
		r.row.Missed = nil
		x.changed(r)
	}
}

// windowEnds returns to what is wanted of the room, once it was quiet enough for a minute.
func (x *roomList) windowEnds(r *room) {
	l := &r.limit
	most := x.most()
	quiet := most <= 0 || l.count <= most/2
	l.timer, l.count = nil, 0
	switch {
	case x.find(r.jid()) != r || !l.on:
	case !quiet:
		l.timer = x.host.after(limitWindow, func() { x.windowEnds(r) })
	default:
		l.on = false
		if l.owed = l.hidden > 0; l.owed {
			r.row.Missed = &perch.RoomGap{FromRef: l.from, Count: l.hidden}
		}
		x.changed(r)
	}
}

// gapEnds notes a message that is in the log: behind a gap it is the end of that.
func (x *roomList) gapEnds(r *room, ref string) {
	l := &r.limit
	if !l.on {
		l.from = ref
	}
	if !l.owed {
		return
	}
	l.owed = false
	missed := *r.row.Missed
	missed.ToRef = ref
	r.row.Missed = &missed
	x.changed(r)
}
