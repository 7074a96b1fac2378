package stanza

import (
	"cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// roomInvitation reads what a room forwards (XEP-0045, 7.8.2): the body beside it is a sentence of the
// server. An invitation by anybody but a room is none; without a text it is reported as dropped, as
// the refusal of an invitation is.
func (x *extras) roomInvitation(el *xmlstream.Borrowed) bool {
	invite := el.Child(nsMUCUser, "invite")
	if !el.Local().Is("x") || invite == nil && el.Child(nsMUCUser, "decline") == nil {
		return true // for programs
	}
	if invite == nil || x.kind == perch.GroupchatMessage || !x.from.IsBare() || x.from.Local() == "" {
		x.invitation = true
		return true
	}
	x.invite(perch.RoomInvitation{
		JID: x.from, By: perch.JID(invite.Attr("from").Peek()), Reason: reasonOf(invite), Via: perch.ViaRoom,
		HasPassword: !el.Child(nsMUCUser, "password").InnerText().Empty(),
	})
	return true
}

// directInvitation reads XEP-0249. Its words are an attribute, the text of the element or a body.
func (x *extras) directInvitation(el *xmlstream.Borrowed) bool {
	room := peekJID(el.Attr("jid")).Bare()
	if !el.Local().Is("x") || room == "" || x.kind == perch.GroupchatMessage {
		return false
	}
	if x.invited == nil || x.invited.Via == perch.ViaDirect {
		x.invite(perch.RoomInvitation{
			JID: room, By: x.from.Bare(), Via: perch.ViaDirect, HasPassword: !el.Attr("password").Empty(),
			Reason: cmp.Or(el.Attr("reason").Copy(), el.InnerText().Copy(), x.body.Copy()),
		})
	}
	return true
}

// invite notes an invitation; one that the account has written itself invites somebody else.
func (x *extras) invite(i perch.RoomInvitation) {
	x.dropped = perch.DroppedInvitation
	if !x.fromOwn {
		i.JID, i.By = cloneJID(string(i.JID)), cloneJID(string(i.By))
		x.invited = &i
	}
}
