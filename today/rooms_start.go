package today

import (
	"fmt"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// add makes a room that is there from the start.
func (c *rooms) add(o *Room) error {
	jid, err := perch.ParseJID(o.Local + "@" + roomsHost + c.s.o.Domain)
	if err != nil || jid.Local() != o.Local || jid.Resource() != "" {
		return fmt.Errorf("today: room %q: Local is no localpart as RFC 7622 prepares it", o.Local)
	}
	if c.list[string(jid)] != nil {
		return fmt.Errorf("today: room %q: Local is taken", o.Local)
	}
	config := newRoomConfig()
	config.name, config.description, config.password = o.Name, o.Description, o.Password
	config.persistent, config.public = true, !o.Hidden
	config.membersOnly, config.moderated = o.MembersOnly, o.Moderated
	config.nonAnonymous, config.changeSubject = o.RealJIDs, o.ChangeSubject
	r := &room{c: c, jid: string(jid), config: config, standings: make(map[string]standing), card: newRoomCard(o.Photo)}
	for affiliation, locals := range map[perch.Affiliation][]string{
		perch.AffiliationMember: o.Members, perch.AffiliationAdmin: o.Admins, perch.AffiliationOwner: o.Owners,
	} {
		for _, local := range locals {
			a := c.s.accounts[local]
			if a == nil {
				return fmt.Errorf("today: room %q: %s %q is no account", o.Local, affiliation, local)
			}
			r.standings[a.Bare] = standing{affiliation: affiliation}
		}
	}
	if o.Subject != "" {
		r.subject = roomSubject{text: o.Subject, inner: xmppserver.AppendTag(nil, "subject", o.Subject), from: r.jid, at: subjectTime(o)}
	}
	for i := range o.Archive {
		if err := r.backfill(&o.Archive[i]); err != nil {
			return err
		}
	}
	c.list[r.jid] = r
	return nil
}

// subjectTime is before everything that was said.
func subjectTime(o *Room) time.Time {
	if len(o.Archive) > 0 {
		return o.Archive[0].Time.Add(-time.Minute)
	}
	return time.Now()
}
