package today

import (
	"bytes"
	"testing"
)

// says lets a session say something in the room, and returns the id that it has in the archive.
func (c *club) says(x *session, inner string) string {
	c.handle(x, "<message xmlns='jabber:client' to='"+clubRoom+"' type='groupchat' id='m'>"+inner+"</message>")
	list := c.room().archive.list
	return list[len(list)-1].id
}

// moderates lets ann take back what has an id.
func (c *club) moderates(id string) {
	c.handle(c.ann, "<iq xmlns='jabber:client' type='set' id='1' to='"+clubRoom+"'><moderate xmlns='"+nsModeration+"' id='"+id+"'><retract xmlns='"+nsRetraction+"'/></moderate></iq>")
}

// TestModeratedNotice: the notice that a message was moderated has the id of no occupant of its own, and
// can be moderated itself: what the archive has then is XML for all who join.
func TestModeratedNotice(t *testing.T) {
	c := newClub(t)
	c.moderates(c.says(c.ben, "<body>rude</body>"))
	list := c.room().archive.list
	notice := list[len(list)-1].id
	c.moderates(notice)
	if m := c.room().archive.get(notice); !bytes.Contains(m.stanza, []byte("<retracted ")) {
		t.Errorf("got %s, want a tombstone", m.stanza)
	}
	cat := c.player("cat")
	c.handle(cat, "<presence xmlns='jabber:client' to='"+clubRoom+"/Cat'><x xmlns='"+nsMUC+"'/></presence>")
	history := 0
	for _, b := range c.got[cat] {
		if err := wellFormed(b); err != nil {
			t.Errorf("got %s: %v, want XML", b, err)
		}
		if bytes.Contains(b, []byte("<delay ")) {
			history++
		}
	}
	if history != 3 {
		t.Errorf("got %d messages of the history, want 3", history)
	}
}

// TestRetractionOfAnother: who quotes the id of an occupant in a message has not said it for that one.
func TestRetractionOfAnother(t *testing.T) {
	c := newClub(t)
	o, _ := c.room().of(c.ben)
	quoted := c.says(c.ann, "<body>x</body><quote xmlns='urn:x'>"+string(appendOccupantID(nil, o.id))+"</quote>")
	own := c.says(c.ben, "<body>y</body>")
	for _, tt := range []struct {
		what, id string
		gone     bool
	}{{"of ann", quoted, false}, {"of ben", own, true}} {
		c.says(c.ben, "<retract xmlns='"+nsRetraction+"' id='"+tt.id+"'/>")
		if m := c.room().archive.get(tt.id); bytes.Contains(m.stanza, []byte("<retracted ")) != tt.gone {
			t.Errorf("a message %s, retracted by ben: got %s, want a tombstone: %v", tt.what, m.stanza, tt.gone)
		}
	}
}
