package stanza

import (
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const nsMUCAdmin = "http://jabber.org/protocol/muc#admin"

// Features of a room in which a moderator may retract what others wrote (XEP-0425): the one of today,
// and the one of before.
const (
	FeatureModeration    = nsModeration
	FeatureModerationOld = nsModerationOld
)

// What is taken of one list of a room. The rest is counted.
const (
	maxMembers     = 20_000
	maxMemberBytes = 4 << 20 // by memberOverhead and texts
	memberOverhead = 96
)

// EncodeRoomMembers asks for all who have an affiliation to a room (XEP-0045, 9.5 and 10.5).
func EncodeRoomMembers(a perch.Affiliation) ([]byte, error) {
	if !a.Valid() || a == perch.AffiliationNone {
		return nil, perch.Invalid("?affiliation", "it must be owner, admin, member or outcast")
	}
	return []byte("<query xmlns='" + nsMUCAdmin + "'><item affiliation='" + string(a) + "'/></query>"), nil
}

// MemberCollector makes one list of the answer to EncodeRoomMembers, which may come in parts.
type MemberCollector struct {
	list  perch.MemberList
	bytes int
}

// Add takes a payload, or a part of it, and keeps copies of its texts. What has no address is no
// entry.
func (c *MemberCollector) Add(payload *xmlstream.Borrowed) {
	if !payload.Is(nsMUCAdmin, "query") {
		return
	}
	for el := range payload.Children() {
		jid, a := peekJID(el.Attr("jid")).Bare(), parseAffiliation(el.Attr("affiliation").Peek())
		if !el.Is(nsMUCAdmin, "item") || jid == "" || a == "" {
			continue
		}
		reason := el.Child(nsMUCAdmin, "reason").InnerText()
		cost := memberOverhead + len(jid) + len(el.Attr("nick").Peek()) + len(reason.Peek())
		if len(c.list.Items) >= maxMembers || c.bytes+cost > maxMemberBytes {
			c.list.LeftOut++
			continue
		}
		c.bytes += cost
		c.list.Items = append(c.list.Items, perch.Member{
			JID: cloneJID(string(jid)), Affiliation: a, Nick: el.Attr("nick").Copy(), Reason: reason.Copy(),
		})
	}
}

// Result is the list; none when the room has none.
func (c *MemberCollector) Result() perch.MemberList {
	if c.list.Items == nil {
		c.list.Items = []perch.Member{}
	}
	return c.list
}

// EncodeAffiliation gives an account an affiliation (XEP-0045, 9 and 10).
func EncodeAffiliation(m perch.Member) ([]byte, error) {
	var w writer
	switch {
	case m.JID == "":
		w.fail("/jid", "an address is required")
	case !m.JID.IsBare():
		w.fail("/jid", "it must be a bare JID")
	case !m.Affiliation.Valid():
		w.fail("/affiliation", "it must be owner, admin, member, none or outcast")
	}
	w.Raw("<query xmlns='" + nsMUCAdmin + "'><item affiliation='" + string(m.Affiliation) + "'")
	w.Attr("/jid", "jid", string(m.JID))
	w.Attr("/nick", "nick", m.Nick)
	w.reason(m.Reason)
	w.Raw("</item></query>")
	return w.Result()
}

// EncodeRole gives an occupant a role (XEP-0045, 8.2 to 8.4 and 9.6 to 9.7); none is a kick.
func EncodeRole(nick string, role perch.Role, reason string) ([]byte, error) {
	var w writer
	if nick == "" {
		w.fail("{nick}", "a nick is required")
	}
	if !role.Valid() {
		w.fail("/role", "it must be moderator, participant, visitor or none")
	}
	w.Raw("<query xmlns='" + nsMUCAdmin + "'><item role='" + string(role) + "'")
	w.Attr("{nick}", "nick", nick)
	w.reason(reason)
	w.Raw("</item></query>")
	return w.Result()
}

// reason ends a start tag and writes why.
func (w *writer) reason(text string) {
	w.Raw(">")
	w.Element("/reason", "reason", text)
}

// EncodeRoomDestroy ends a room for all (XEP-0045, 10.9).
func EncodeRoomDestroy(reason string, successor perch.JID) ([]byte, error) {
	var w writer
	w.Raw("<query xmlns='" + nsMUCOwner + "'><destroy")
	w.Attr("/successor", "jid", string(successor))
	w.reason(reason)
	w.Raw("</destroy></query>")
	return w.Result()
}

// EncodeModeration retracts a message of another occupant, by its id in the archive of the room
// (XEP-0425, 4). Old is the form of before.
func EncodeModeration(stanzaID, reason string, old bool) ([]byte, error) {
	var w writer
	if stanzaID == "" {
		w.fail("{ref}", "the message has no id in the archive of the room")
	}
	if old {
		w.Raw("<apply-to xmlns='" + nsFastening + "'")
		w.Attr("{ref}", "id", stanzaID)
		w.Raw("><moderate xmlns='" + nsModerationOld + "'><retract xmlns='" + nsRetractionOld + "'/")
		w.reason(reason)
		w.Raw("</moderate></apply-to>")
		return w.Result()
	}
	w.Raw("<moderate xmlns='" + nsModeration + "'")
	w.Attr("{ref}", "id", stanzaID)
	w.Raw("><retract xmlns='" + nsRetraction + "'/")
	w.reason(reason)
	w.Raw("</moderate>")
	return w.Result()
}

// EncodeReservedNick asks for the nick that a room keeps for the account (XEP-0045, 7.12).
func EncodeReservedNick() []byte {
	return []byte("<query xmlns='" + nsDiscoInfo + "' node='x-roomuser-item'/>")
}

// ParseReservedNick reads the answer; "" when there is none.
func ParseReservedNick(payload *xmlstream.Element) string {
	if !isDiscoInfo(payload) {
		return ""
	}
	return strings.Clone(payload.Child(nsDiscoInfo, "identity").Attr("name"))
}
