package stanza

import (
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// Decoded is what one message or presence says.
type Decoded struct {
	In       []perch.Inbound
	Forged   string         // what was claimed without the right to: "carbon" or "archive result"; else ""
	Counted  bool           // it is a stanza: XEP-0198 counts it
	Silent   bool           // there is nothing in it that this gateway shows
	Archived *ArchiveResult // an archive result (XEP-0313): only for the query that is open
}

// Unshown reports whether nothing is made of it but, at most, a note that it was left out for what it says. What
// has a forged part beside that is not unshown: that part would be in it.
func (d *Decoded) Unshown() bool {
	if d.Silent || len(d.In) != 1 || d.Archived != nil || d.Forged != "" {
		return d.Silent
	}
	in, ok := d.In[0].(*perch.DroppedIn)
	return ok && (in.Reason == perch.DroppedCall || in.Reason == perch.DroppedUnsupported)
}

// Decode decodes a message or presence straight from its frame; nothing in the result points
// into it. Other elements give an empty result. Self is the own full JID; a delay after now is
// none, and with now 0 every one is believed. The error is an *xmlstream.Error.
func Decode(f *xmlstream.Frame, self perch.JID, now perch.Time) (d Decoded, err error) {
	err = f.Borrow(func(el *xmlstream.Borrowed) { d = decoder{self, now, f.Lang()}.decode(el) })
	return d, err
}

// decoder is what decoding a stanza depends on beside the stanza.
type decoder struct {
	self perch.JID
	now  perch.Time
	lang string // xml:lang of the stream, which stanzas without one inherit
}

func (r decoder) decode(el *xmlstream.Borrowed) (d Decoded) {
	switch {
	case el.Is(nsClient, "message"):
		d = r.message(el)
	case el.Is(nsClient, "presence"):
		d.In = r.presence(el)
	default:
		return Decoded{}
	}
	d.Counted = true
	d.Silent = len(d.In) == 0 && d.Archived == nil && d.Forged == ""
	return d
}

// copyJID copies an address as it stood on the wire.
func copyJID(t xmlstream.Text) perch.JID { return perch.JID(t.Copy()) }

// peekJID is for a comparison.
func peekJID(t xmlstream.Text) perch.JID { return perch.JID(t.Peek()) }

// cloneJID copies an address out of a tree that may be kept: else it would hold the whole
// stanza.
func cloneJID(s string) perch.JID { return perch.JID(strings.Clone(s)) }

// sender is the from of a stanza. Without one it is from the own account (RFC 6120,
// 8.1.2.1).
func sender(el *xmlstream.Borrowed, self perch.JID) perch.JID {
	if from := el.Attr("from"); !from.Empty() {
		return copyJID(from)
	}
	return self.Bare()
}

// peekSender is sender for a comparison.
func peekSender(el *xmlstream.Borrowed, self perch.JID) perch.JID {
	if from := el.Attr("from"); !from.Empty() {
		return peekJID(from)
	}
	return self.Bare()
}
