package stanza

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// delayOf reads when and by whom a stanza was held back: XEP-0203, or its forerunner
// XEP-0091 where there is none that can be read. Of several the oldest is meant: each hop
// that holds a stanza back may add one. The Stamp is 0 when there is a delay but no time in
// it that can be read: the stanza is known to be delayed, and not since when.
//
// Any sender can write it: it is for display only, and a moment in the future is no delay.
func delayOf(el *xmlstream.Borrowed, now perch.Time) *perch.Delay {
	var modern, old delays
	for c := range el.Children() {
		switch {
		case c.Is(nsDelay, "delay"):
			modern.add(c, now)
		case c.Is(nsDelayOld, "x"):
			old.add(c, now)
		}
	}
	best := modern.oldest
	switch {
	case best == nil && old.oldest != nil:
		best = old.oldest
	case best == nil && modern.unreadable != nil:
		best = modern.unreadable
	case best == nil:
		best = old.unreadable
	}
	if best == nil {
		return nil
	}
	return &perch.Delay{Stamp: parseTime(best.Attr("stamp").Peek()), From: best.Attr("from").Copy()}
}

// delays are the delays of one form in a stanza.
type delays struct {
	oldest     *xmlstream.Borrowed // the one with the earliest time that is over
	stamp      perch.Time
	unreadable *xmlstream.Borrowed // the first one whose time cannot be read
}

func (d *delays) add(el *xmlstream.Borrowed, now perch.Time) {
	stamp := parseTime(el.Attr("stamp").Peek())
	switch {
	case stamp == 0 && d.unreadable == nil:
		d.unreadable = el
	case stamp == 0 || now != 0 && stamp > now:
	case d.oldest == nil || stamp < d.stamp:
		d.oldest, d.stamp = el, stamp
	}
}

// hasDelay reports whether a stanza says that it was held back, at whatever time. It is
// stricter than delayOf: a signal with a delay of a clock that is ahead of ours is old, too.
func hasDelay(el *xmlstream.Borrowed) bool {
	return el.Child(nsDelay, "delay") != nil || el.Child(nsDelayOld, "x") != nil
}

// envelope is what was around a message: from the inside out, the elements that may carry
// its delay.
type envelope []*xmlstream.Borrowed

// delay is that of the innermost of message and envelope that has one, or rather one whose
// time can be read.
func (e envelope) delay(message *xmlstream.Borrowed, now perch.Time) *perch.Delay {
	d := delayOf(message, now)
	for _, el := range e {
		if d != nil && d.Stamp != 0 {
			break
		}
		if outer := delayOf(el, now); d == nil || outer != nil && outer.Stamp != 0 {
			d = outer
		}
	}
	return d
}

// delayed reports whether the message or anything around it was held back.
func (e envelope) delayed(message *xmlstream.Borrowed) bool {
	late := hasDelay(message)
	for _, el := range e {
		late = late || hasDelay(el)
	}
	return late
}
