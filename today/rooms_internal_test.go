package today

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// club is a service with a room that ann owns, and ben is in. Got is what each has been sent.
type club struct {
	s        *Service
	ann, ben *session
	got      map[*session][][]byte
}

const clubRoom = "club@rooms." + DefaultDomain

func newClub(t testing.TB) *club {
	t.Helper()
	s, err := New(Options{Accounts: []Account{{Local: "ann"}, {Local: "ben"}, {Local: "cat"}}})
	if err != nil {
		t.Fatalf("New: got error %v, want none", err)
	}
	c := &club{s: s, got: map[*session][][]byte{}}
	c.ann, c.ben = c.player("ann"), c.player("ben")
	c.handle(c.ann, "<presence xmlns='jabber:client' to='"+clubRoom+"/Ann'><x xmlns='"+nsMUC+"'/></presence>")
	c.handle(c.ann, "<iq xmlns='jabber:client' type='set' id='1' to='"+clubRoom+"'><query xmlns='"+nsMUCOwner+"'><x xmlns='jabber:x:data' type='submit'/></query></iq>")
	c.handle(c.ben, "<presence xmlns='jabber:client' to='"+clubRoom+"/Ben'><x xmlns='"+nsMUC+"'/></presence>")
	return c
}

func (c *club) player(local string) *session {
	var x *session
	x = c.s.play(c.s.accounts[local], "x", func(b []byte) { c.got[x] = append(c.got[x], b) })
	return x
}

func (c *club) handle(x *session, raw string) {
	if e, err := xmppserver.Parse([]byte(raw)); err == nil {
		c.s.rooms.stanza(x, e)
	}
}

func (c *club) room() *room { return c.s.rooms.list[clubRoom] }

// What FuzzRoomStanza finds in the archive: the first message is of ben, the second of ann.
const (
	seedFormat = "seed-%d"
	seedID     = "seed-0"
	seedOther  = "seed-1"
)

// FuzzRoomStanza: whatever an occupant sends, what others get of it is well-formed and has no id that
// only the room may give; so is what the archive has then, in which it has changed nothing of the other one
// unless it may.
func FuzzRoomStanza(f *testing.F) {
	to := " xmlns='jabber:client' to='" + clubRoom
	for _, s := range []string{
		"<presence" + to + "/Ben'><x xmlns='" + nsMUC + "'><history since='x' maxstanzas='3'/></x></presence>",
		"<presence" + to + "/Benny'/>", "<presence" + to + "' type='unavailable'/>", "<presence" + to + "/Ben' type='error'><error><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
		"<message" + to + "' type='groupchat'><body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='" + clubRoom + "' id='forged'/></message>",
		"<message" + to + "' type='groupchat'><retract xmlns='urn:xmpp:message-retract:1' id='" + seedID + "'/></message>",
		"<message" + to + "' type='groupchat'><retract xmlns='urn:xmpp:message-retract:1' id='" + seedOther + "'/></message>",
		"<message" + to + "/Ann' type='chat'><body>x</body><occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/></message>",
		"<message" + to + "'><x xmlns='" + nsMUCUser + "'><invite to='cat@" + DefaultDomain + "'><reason>x</reason></invite></x></message>",
		"<message" + to + "'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + nsVoice + "</value></field></x></message>",
		"<iq" + to + "' type='set' id='1'><query xmlns='" + nsMUCAdmin + "'><item nick='Ben' role='none'/></query></iq>",
		"<iq" + to + "' type='set' id='1'><query xmlns='" + nsMUCOwner + "'><destroy jid='x@y'/></query></iq>",
		"<iq" + to + "' type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>",
		"<iq" + to + "' type='set' id='1'><vCard xmlns='vcard-temp'><PHOTO><BINVAL>eA==</BINVAL></PHOTO></vCard></iq>",
		"<iq" + to + "' type='set' id='1'><moderate xmlns='urn:xmpp:message-moderate:1' id='" + seedID + "'><retract xmlns='urn:xmpp:message-retract:1'/></moderate></iq>",
		"<iq" + to + "/Ann' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, raw string, owner bool) {
		e := element([]byte(raw))
		if e == nil || e.Name.Space != xmppserver.NSClient || (e.Name.Local != "iq" && e.Name.Local != "message" && e.Name.Local != "presence") {
			return
		}
		c := newClub(t)
		c.says(c.ben, "<body>what ben has said</body>")
		c.says(c.ann, "<body>what ann has said</body>")
		for i := range c.room().archive.list {
			c.room().archive.list[i].id = fmt.Sprintf(seedFormat, i)
		}
		from, other := c.ben, c.ann
		if owner {
			from, other = other, from
		}
		c.got = map[*session][][]byte{}
		c.s.rooms.stanza(from, e)
		for _, list := range c.got {
			for _, b := range list {
				if err := wellFormed(b); err != nil {
					t.Errorf("got %v, want XML", err)
				}
			}
		}
		if r := c.room(); r != nil {
			for _, m := range r.archive.list {
				if err := wellFormed(m.stanza); err != nil {
					t.Errorf("in the archive: got %v, want XML", err)
				}
			}
			if m := r.archive.get(seedOther); !owner && m != nil && !bytes.Contains(m.stanza, []byte("what ann has said")) {
				t.Errorf("got %s after what ben has sent, want the message of ann", m.stanza)
			}
		}
		for _, b := range c.got[other] {
			m := element(b)
			for _, k := range m.Elements() {
				own := k.Name.Space == nsOccupantID || k.Name.Space == nsSID && k.Name.Local == "stanza-id" && k.Get("by") == clubRoom
				if own && strings.Contains(k.Get("id"), "forged") {
					t.Errorf("got %s, want no id of the room that an occupant has written", b)
				}
			}
		}
	})
}

// FuzzRoomForm: whatever an owner fills in, the configuration that comes of it can be, and is shown as
// it is.
func FuzzRoomForm(f *testing.F) {
	f.Add("roomname", "Tea", "whois", "anyone")
	f.Add("maxusers", "none", "presencebroadcast", "moderator")
	f.Add("roomsecret", "", "passwordprotectedroom", "1")
	f.Fuzz(func(t *testing.T, name, value, other, second string) {
		config, ok := newRoomConfig().configured(form{kind: nsRoomConfig, fields: map[string][]string{
			fieldPrefix + name: {value}, fieldPrefix + other: {second},
		}})
		if !ok {
			return
		}
		if len(config.name) > maxText || len(config.password) > maxText || config.maxOccupants < 0 || config.privateMessages == "" {
			t.Errorf("got %+v, want it within bounds", config)
		}
		if err := wellFormed(config.appendForm(nil)); err != nil {
			t.Errorf("got %v, want XML", err)
		}
	})
}

// TestRoomPassword: the password of a room, whatever a form has of it.
func TestRoomPassword(t *testing.T) {
	for _, tt := range []struct {
		before, protected, secret, want string
		ok                              bool
	}{
		{"old", "1", "new", "new", true}, {"old", "1", "", "old", true}, {"old", "true", "", "old", true},
		{"old", "0", "new", "", true}, {"old", "false", "", "", true}, {"old", "x", "new", "", false},
		{"", "1", "", "", false}, {"", "1", "new", "new", true}, {"", "0", "", "", true},
	} {
		config := newRoomConfig()
		config.password = tt.before
		got, ok := config.configured(form{kind: nsRoomConfig, fields: map[string][]string{
			fieldPrefix + "passwordprotectedroom": {tt.protected}, fieldPrefix + "roomsecret": {tt.secret},
		}})
		if ok != tt.ok || ok && got.password != tt.want {
			t.Errorf("%+v: got %q and %v, want %q and %v", tt, got.password, ok, tt.want, tt.ok)
		}
	}
}

func FuzzRoomHistory(f *testing.F) {
	f.Add("3", "1000", "60", "2026-11-30T00:00:00Z")
	f.Add("-1", "x", "99999999999999999999", "never")
	f.Fuzz(func(t *testing.T, stanzas, chars, seconds, since string) {
		e := xmppserver.NewElement(nsMUC, "history")
		for name, value := range map[string]string{"maxstanzas": stanzas, "maxchars": chars, "seconds": seconds, "since": since} {
			e.Attr = append(e.Attr, attr(name, value))
		}
		if l := parseHistory(e, time.Now()); l.messages < 0 || l.messages > historyMax || l.bytes < 0 {
			t.Errorf("got %+v, want it within bounds", l)
		}
	})
}

// TestRoomBounds: no table of a room grows for ever.
func TestRoomBounds(t *testing.T) {
	c := newClub(t)
	r := c.room()
	for i := range 2 * maxRoomStandings {
		bare := fmt.Sprintf("u%d@%s", i, DefaultDomain)
		if condition := r.mayAffiliate(c.ann.acct.Bare, bare, perch.AffiliationMember); condition == "" {
			r.setAffiliation(bare, standing{affiliation: perch.AffiliationMember}, &happening{})
		}
	}
	if len(r.standings) != maxRoomStandings {
		t.Errorf("got %d affiliations, want %d", len(r.standings), maxRoomStandings)
	}
	body := strings.Repeat("x", maxRoomArchive/16)
	for range 40 {
		c.handle(c.ben, "<message xmlns='jabber:client' to='"+clubRoom+"' type='groupchat'><body>"+body+"</body></message>")
	}
	if r.archive.bytes > maxRoomArchive || len(r.archive.list) == 0 {
		t.Errorf("got an archive of %d messages and %d bytes, want at most %d bytes", len(r.archive.list), r.archive.bytes, maxRoomArchive)
	}
	for range 2 * maxRelays {
		c.handle(c.ben, "<iq xmlns='jabber:client' to='"+clubRoom+"/Ann' type='get' id='1'><query xmlns='jabber:iq:version'/></iq>")
	}
	if n := len(c.s.rooms.relays.list); n != maxRelays {
		t.Errorf("got %d requests that wait, want %d", n, maxRelays)
	}
	for i := range 2 * maxSuccessors {
		c.s.rooms.moved(fmt.Sprint(i), successor{})
	}
	if n := len(c.s.rooms.gone); n != maxSuccessors || len(c.s.rooms.fled) != n {
		t.Errorf("got %d successors of rooms, want %d", n, maxSuccessors)
	}
	for i := range 2 * maxRooms {
		for _, x := range []*session{c.ann, c.ben} {
			c.handle(x, fmt.Sprintf("<presence xmlns='jabber:client' to='%d-%s@rooms.%s/x'><x xmlns='%s'/></presence>", i, x.acct.Local, DefaultDomain, nsMUC))
		}
	}
	if n := len(c.s.rooms.list); n != 2*maxRoomsOwned {
		t.Errorf("got %d rooms of two accounts, want %d", n, 2*maxRoomsOwned)
	}
	c.s.signOut(c.ann)
	c.s.signOut(c.ben)
	if len(c.s.rooms.list) != 0 || len(c.s.rooms.in) != 0 || len(c.s.rooms.relays.list) != 0 {
		t.Errorf("got %d rooms when all have left, want none", len(c.s.rooms.list))
	}
}

func attr(name, value string) xml.Attr { return xml.Attr{Name: xml.Name{Local: name}, Value: value} }
