package today

import (
	"bytes"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

const (
	nsModeration    = "urn:xmpp:message-moderate:1"
	nsModerationOld = "urn:xmpp:message-moderate:0"
	nsRetractionOld = "urn:xmpp:message-retract:0"
	nsFastening     = "urn:xmpp:fasten:0"
)

// maxRoomArchive bounds the messages of one room, which are many.
const maxRoomArchive = 2 << 20

// history answers for the archive of a room to those who may enter it (XEP-0313, 5.1.2).
func (r *room) history(q *request) {
	a := r.affiliation(q.from.acct.Bare)
	o, _ := r.of(q.from)
	switch {
	case !r.config.archived, q.payload.Name.Local == "prefs":
		q.fail("service-unavailable")
	case a == perch.AffiliationOutcast,
		r.config.membersOnly && rank(a) < rank(perch.AffiliationMember),
		r.config.password != "" && o == nil && a != perch.AffiliationOwner:
		q.fail("forbidden")
	default:
		q.answerArchive(&r.archive)
	}
}

// moderate retracts what somebody has said (XEP-0425, 4); what it is called by clients of before, too.
func (r *room) moderate(q *request) {
	word, retraction := q.payload, nsRetraction
	if q.payload.Name.Space == nsFastening {
		word, retraction = q.payload.Child(nsModerationOld, "moderate"), nsRetractionOld
	}
	id := q.payload.Get("id")
	o, _ := r.of(q.from)
	switch {
	case !q.set || word == nil || id == "":
		q.fail("bad-request")
	case word.Child(retraction, "retract") == nil:
		q.fail("feature-not-implemented")
	case o == nil || o.role != perch.RoleModerator:
		q.fail("forbidden")
	case r.archive.get(id) == nil:
		q.fail("item-not-found")
	default:
		r.retracted(o, id, word.Child(word.Name.Space, "reason").Text())
		q.result(nil)
	}
}

// retracted puts a tombstone in the place of a message, and tells all of it, in the words of today and
// of before.
func (r *room) retracted(by *occupant, id, reason string) {
	now := time.Now().UTC()
	moderated := xmppserver.AppendAttr([]byte("<moderated xmlns='"+nsModeration+"'"), "by", r.at(by))
	moderated = append(appendOccupantID(append(moderated, '>'), by.id), "</moderated>"...)
	moderated = xmppserver.AppendTag(moderated, "reason", reason)
	r.tombstone(id, "", now, moderated)

	b := xmppserver.AppendAttr([]byte("<message"), "from", r.jid)
	b = xmppserver.AppendAttr(append(b, " type='groupchat'"...), "id", xmppserver.NewID())
	b = xmppserver.AppendAttr(append(b, "><retract xmlns='"+nsRetraction+"'"...), "id", id)
	b = append(append(append(b, '>'), moderated...), "</retract>"...)
	b = xmppserver.AppendAttr(append(b, "<apply-to xmlns='"+nsFastening+"'"...), "id", id)
	b = xmppserver.AppendAttr(append(b, "><moderated xmlns='"+nsModerationOld+"'"...), "by", r.at(by))
	b = append(b, "><retract xmlns='"+nsRetractionOld+"'/>"...)
	b = append(xmppserver.AppendTag(b, "reason", reason), "</moderated></apply-to><store xmlns='"+nsHints+"'/></message>"...)
	r.say(b, xmppserver.NewElement(xmppserver.NSClient, "message", xmppserver.Node{El: xmppserver.NewElement(nsRetraction, "retract")}), nil)
}

// tombstone replaces a message in the archive by a tombstone (XEP-0424, 5): what it was is gone, who has
// said it and when is not. retraction is the id of the message that has retracted it, or "".
func (r *room) tombstone(id, retraction string, at time.Time, inner []byte) {
	m := r.archive.get(id)
	if m == nil {
		return
	}
	head := m.stanza[:bytes.IndexByte(m.stanza, '>')+1]
	b := append(bytes.Clone(head), "<retracted xmlns='"+nsRetraction+"'"...)
	if retraction != "" {
		b = xmppserver.AppendAttr(b, "id", retraction)
	}
	b = xmppserver.AppendAttr(b, "stamp", at.Format(xmppserver.StampLayout))
	b = append(append(append(b, '>'), inner...), "</retracted>"...)
	if m.occupant != "" {
		b = appendOccupantID(b, m.occupant)
	}
	r.archive.replace(id, append(b, "</message>"...))
}

// retractOwn puts a tombstone in the place of what an occupant retracts of its own (XEP-0424).
func (r *room) retractOwn(o *occupant, e *xmppserver.Element) {
	retract := e.Child(nsRetraction, "retract")
	if retract == nil {
		return
	}
	id := retract.Get("id")
	if m := r.archive.get(id); m != nil && m.occupant == o.id {
		r.tombstone(id, e.Get("id"), time.Now().UTC(), nil)
	}
}

// shrink lets the oldest messages go until the rest has at most so many bytes; the newest stays.
func (a *archive) shrink(most int) {
	n := 0
	for n < len(a.list)-1 && a.bytes > most {
		a.bytes -= a.list[n].size()
		n++
	}
	clear(a.list[:n])
	a.list = a.list[n:]
}
