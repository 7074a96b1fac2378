package today

import (
	"fmt"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// rules lets a session change affiliations, and returns the condition of the answer.
func (c *club) rules(x *session, items ...string) string {
	list := ""
	for _, it := range items {
		jid, affiliation, _ := strings.Cut(it, "=")
		list += "<item jid='" + jid + "' affiliation='" + affiliation + "'/>"
	}
	c.got[x] = nil
	c.handle(x, "<iq xmlns='jabber:client' type='set' id='1' to='"+clubRoom+"'><query xmlns='"+nsMUCAdmin+"'>"+list+"</query></iq>")
	for _, b := range c.got[x] {
		if e, err := xmppserver.Parse(b); err == nil && e.Name.Local == "iq" {
			for _, k := range e.Child(xmppserver.NSClient, "error").Elements() {
				return k.Name.Local
			}
			return ""
		}
	}
	return "no answer"
}

// TestRoomKeepsAnOwner: changes are looked at one after the other, so that those of one request do not do
// together what none of them may.
func TestRoomKeepsAnOwner(t *testing.T) {
	c := newClub(t)
	r := c.room()
	ann, ben := "ann@"+DefaultDomain, "ben@"+DefaultDomain
	if got := c.rules(c.ann, ben+"=owner"); got != "" {
		t.Fatalf("a second owner: got %s, want a result", got)
	}
	if got := c.rules(c.ann, ben+"=none", ann+"=none"); got != "conflict" || r.owners() != 2 {
		t.Errorf("both owners at once: got %q and %d owners, want conflict and 2", got, r.owners())
	}
	if got := c.rules(c.ann, ann+"=admin", "cat@"+DefaultDomain+"=owner"); got != "not-allowed" || r.owners() != 2 {
		t.Errorf("an owner no more who makes one: got %q and %d owners, want not-allowed and 2", got, r.owners())
	}
	for len(r.standings) < maxRoomStandings-1 {
		r.standings[fmt.Sprintf("u%d@%s", len(r.standings), DefaultDomain)] = standing{affiliation: perch.AffiliationMember}
	}
	if got := c.rules(c.ann, "x@else.example=member", "y@else.example=member"); got != "resource-constraint" || len(r.standings) != maxRoomStandings-1 {
		t.Errorf("more than there may be: got %q and %d, want resource-constraint and %d", got, len(r.standings), maxRoomStandings-1)
	}
	if got := c.rules(c.ann, "x@else.example=member", "x@else.example=none", "y@else.example=member"); got != "" || len(r.standings) != maxRoomStandings {
		t.Errorf("one, none and one: got %q and %d, want a result and %d", got, len(r.standings), maxRoomStandings)
	}
}

// TestDomainAffiliation: a domain can be banned, and be nothing else; who has an affiliation of its own
// keeps it.
func TestDomainAffiliation(t *testing.T) {
	c := newClub(t)
	r := c.room()
	for _, a := range []perch.Affiliation{perch.AffiliationOwner, perch.AffiliationAdmin, perch.AffiliationMember} {
		if got := c.rules(c.ann, DefaultDomain+"="+string(a)); got != "not-acceptable" || r.owners() != 1 {
			t.Errorf("a domain as %s: got %q and %d owners, want not-acceptable and 1", a, got, r.owners())
		}
	}
	b, _ := r.of(c.ben)
	r.setRole(b, perch.RoleModerator, &happening{})
	if got := c.rules(c.ann, DefaultDomain+"=none"); got != "" || b.role != perch.RoleModerator {
		t.Errorf("a domain as nothing: got %q and %s, want a result and a moderator still", got, b.role)
	}
	if got := c.rules(c.ann, DefaultDomain+"=outcast"); got != "" {
		t.Errorf("a domain as outcast: got %q, want a result", got)
	}
	if o, _ := r.of(c.ann); o == nil || o.role != perch.RoleModerator {
		t.Errorf("the owner, who is of the banned domain: got %+v, want a moderator in the room", o)
	}
	if o, _ := r.of(c.ben); o != nil {
		t.Errorf("one of the banned domain: got %+v, want nobody", o)
	}
}
