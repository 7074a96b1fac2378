package stanza

import (
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// texts copies texts out of a borrowed tree into one piece of memory, which lives as long as one of
// them. What is kept for long of a stanza is to be copied once more by whoever keeps it.
type texts struct{ b strings.Builder }

// grow makes room for texts. More of them need more memory, and nothing else.
func (t *texts) grow(list ...xmlstream.Text) {
	n := 0
	for _, x := range list {
		n += len(x.Peek())
	}
	t.b.Grow(n)
}

// copy returns a text as a string that may be kept.
func (t *texts) copy(x xmlstream.Text) string {
	from := t.b.Len()
	t.b.WriteString(x.Peek())
	return t.b.String()[from:]
}

func (t *texts) jid(x xmlstream.Text) perch.JID { return perch.JID(t.copy(x)) }

// sender is the from of a stanza, as [sender] has it.
func (t *texts) sender(el *xmlstream.Borrowed, self perch.JID) perch.JID {
	if from := el.Attr("from"); !from.Empty() {
		return t.jid(from)
	}
	return self.Bare()
}
