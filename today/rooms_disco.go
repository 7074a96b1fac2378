package today

import (
	"slices"
	"strconv"
	"strings"

	"github.com/perch-im/perch/internal/xmppserver"
)

// roomFeatures are what every room can do, beside its archive.
var roomFeatures = []string{
	xmppserver.NSInfo, nsMUC, nsMUC + "#stable_id", nsMUC + "#self-ping-optimization", nsOccupantID,
	nsModeration, nsModerationOld, nsRetraction, xmppserver.NSVCard, nsVoice,
}

// info answers what a room is (XEP-0045, 6.4), or which nick it keeps for who asks (7.12).
func (r *room) info(q *request) {
	switch node := q.payload.Get("node"); {
	case q.set:
		q.fail("bad-request")
	case node == "x-roomuser-item":
		b := append([]byte("<query xmlns='"+xmppserver.NSInfo+"'"), " node='x-roomuser-item'>"...)
		if nick := r.standings[q.from.acct.Bare].nick; nick != "" {
			b = xmppserver.AppendAttr(append(b, "<identity category='conference' type='text'"...), "name", nick)
			b = append(b, "/>"...)
		}
		q.result(append(b, "</query>"...))
	case node != "":
		q.fail("item-not-found")
	default:
		q.result(r.appendInfo())
	}
}

func (r *room) appendInfo() []byte {
	b := append([]byte("<query xmlns='"+xmppserver.NSInfo+"'>"), "<identity category='conference' type='text'"...)
	b = append(xmppserver.AppendAttr(b, "name", r.title()), "/>"...)
	list := append(slices.Clone(roomFeatures), r.words()...)
	if r.config.archived {
		list = append(list, archiveFeatures...)
	}
	b = appendFeatures(b, list...)
	b = appendForm(b, "result", nsMUC+"#roominfo")
	b = appendField(b, "text-single", fieldPrefix+"roomname", r.title())
	b = appendField(b, "text-single", "muc#roominfo_description", r.config.description)
	b = appendField(b, "text-single", "muc#roominfo_lang", r.config.language)
	b = appendField(b, "text-single", "muc#roominfo_subject", r.subject.text)
	b = appendField(b, "boolean", "muc#roominfo_changesubject", boolText(r.config.changeSubject))
	b = appendField(b, "boolean", fieldPrefix+"changesubject", boolText(r.config.changeSubject))
	b = appendField(b, "text-single", "muc#roominfo_occupants", strconv.Itoa(len(r.occupants)))
	if r.card.hash != "" {
		b = appendField(b, "text-multi", "muc#roominfo_avatarhash", r.card.hash)
	}
	return append(b, "</x></query>"...)
}

// title is the name, or what stands for it.
func (r *room) title() string {
	if r.config.name != "" {
		return r.config.name
	}
	local, _, _ := strings.Cut(r.jid, "@")
	return local
}

// words are what the configuration makes of the room (15.3).
func (r *room) words() []string {
	either := func(yes bool, a, b string) string {
		if yes {
			return a
		}
		return b
	}
	c := &r.config
	return []string{
		either(c.membersOnly, "muc_membersonly", "muc_open"), either(c.public, "muc_public", "muc_hidden"),
		either(c.persistent, "muc_persistent", "muc_temporary"), either(c.nonAnonymous, "muc_nonanonymous", "muc_semianonymous"),
		either(c.moderated, "muc_moderated", "muc_unmoderated"), either(c.password != "", "muc_passwordprotected", "muc_unsecured"),
	}
}

// items of a room are nobody's business (6.5).
func (r *room) items(q *request) {
	if q.set {
		q.fail("bad-request")
		return
	}
	q.result([]byte("<query xmlns='" + nsItems + "'/>"))
}

// hostInfo answers what the component is (6.2).
func (c *rooms) hostInfo(q *request) {
	switch {
	case q.set:
		q.fail("bad-request")
	case q.payload.Get("node") != "":
		q.fail("item-not-found")
	default:
		b := append([]byte("<query xmlns='"+xmppserver.NSInfo+"'>"), "<identity category='conference' type='text' name='Rooms'/>"...)
		b = appendFeatures(b, xmppserver.NSInfo, nsItems, nsMUC, xmppserver.NSPing, xmppserver.NSRSM, nsOccupantID)
		q.result(append(b, "</query>"...))
	}
}

// hostItems lists the public rooms (6.3), by pages when who asks wants these (XEP-0059).
func (c *rooms) hostItems(q *request) {
	if q.set || q.payload.Get("node") != "" {
		q.fail("bad-request")
		return
	}
	var list []string
	for jid, r := range c.list {
		if r.config.public && !r.locked {
			list = append(list, jid)
		}
	}
	slices.Sort(list)
	set := q.payload.Child(xmppserver.NSRSM, "set")
	first, last, ok := pageOf(list, set)
	if !ok {
		q.fail("bad-request")
		return
	}
	b := []byte("<query xmlns='" + nsItems + "'>")
	for _, jid := range list[first:last] {
		b = xmppserver.AppendAttr(append(b, "<item"...), "jid", jid)
		b = append(xmppserver.AppendAttr(b, "name", c.list[jid].title()), "/>"...)
	}
	if set != nil {
		b = appendPage(b, list, first, last)
	}
	q.result(append(b, "</query>"...))
}

// pageOf is which part of a sorted list a page is; ok is false for a size that is none.
func pageOf(list []string, set *xmppserver.Element) (first, last int, ok bool) {
	last = len(list)
	if set == nil {
		return 0, last, true
	}
	most := last
	if m := set.Child(xmppserver.NSRSM, "max"); m != nil {
		n, err := strconv.ParseUint(strings.TrimSpace(m.Text()), 10, 31)
		if err != nil {
			return 0, 0, false
		}
		most = int(n)
	}
	if after := set.Child(xmppserver.NSRSM, "after").Text(); after != "" {
		i, found := slices.BinarySearch(list, after)
		if found {
			i++
		}
		return i, min(i+most, last), true
	}
	if before := set.Child(xmppserver.NSRSM, "before"); before != nil {
		if before.Text() != "" {
			last, _ = slices.BinarySearch(list, before.Text())
		}
		return max(0, last-most), last, true
	}
	return 0, min(most, last), true
}

func appendPage(b []byte, list []string, first, last int) []byte {
	b = append(b, "<set xmlns='"+xmppserver.NSRSM+"'>"...)
	if first < last {
		b = append(xmppserver.AppendAttr(append(b, "<first"...), "index", strconv.Itoa(first)), '>')
		b = append(xmppserver.AppendText(b, list[first]), "</first>"...)
		b = xmppserver.AppendTag(b, "last", list[last-1])
	}
	return append(xmppserver.AppendTag(b, "count", strconv.Itoa(len(list))), "</set>"...)
}
