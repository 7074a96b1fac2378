package sessions

import (
	"github.com/perch-im/perch"
)

// detailsToSend are the details of a message that is to be sent to somebody, as a copy: those that
// are the sender's, and the answered message by its id. Who wrote that only the owner knows.
func detailsToSend(d *perch.MessageDetails) (*perch.MessageDetails, error) {
	if d == nil {
		return nil, nil //nolint:nilnil // there are none
	}
	own := *d
	own.Edited, own.Retracted, own.Reactions, own.PayloadsTruncated = nil, nil, nil, false
	if d.ReplyTo != nil {
		reply, err := replyToSend(*d.ReplyTo)
		if err != nil {
			return nil, err
		}
		own.ReplyTo = reply
	}
	return &own, nil
}

func replyToSend(r perch.Reply) (*perch.Reply, error) {
	if r.Ref == "" && r.ID != "" {
		return &r, nil
	}
	ref, err := perch.ParseRef(r.Ref)
	if err != nil {
		return nil, perch.Invalid("/reply_to/ref", "is not the ref of a message")
	}
	switch {
	case ref.Room:
		r.ID = ref.StanzaID
	case ref.ID == "":
		return nil, perch.Invalid("/reply_to/ref", "is of a message without an id, which cannot be answered by it")
	default:
		r.ID = ref.ID
	}
	r.From = ""
	return &r, nil
}

// fillReplyFrom names the author of the message that is answered, whom detailsToSend does not know. In
// rooms that is an occupant: the address of the account is not for others there.
func (o *outbox) fillReplyFrom(m *perch.MessageOut) {
	if m.Details == nil || m.Details.ReplyTo == nil || m.Details.ReplyTo.Ref == "" {
		return
	}
	reply := m.Details.ReplyTo
	ref, err := perch.ParseRef(reply.Ref)
	if err != nil {
		return
	}
	inRoom := false
	if o.rooms != nil {
		reply.From, inRoom = o.rooms.author(m.To, ref)
	}
	switch {
	case inRoom || ref.Room:
	case ref.Sent:
		reply.From = o.host.ownJID().Bare()
	default:
		reply.From = m.To.Bare()
	}
}

// fitsChatOnly is why a message cannot be sent to an upstream that takes chat messages only; nil: it
// can. It is asked before anything is stored or sent.
func fitsChatOnly(m *perch.MessageOut) error {
	switch {
	case m.Kind != perch.ChatMessage:
		return perch.Errorf(perch.KindFeatureUnsupported, "this upstream has chat messages only")
	case m.Relation != nil:
		return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot change a message that was sent")
	case m.Details == nil:
		return nil
	}
	d := m.Details
	for _, f := range []struct {
		pointer string
		is      bool
	}{
		{"/reply_to", d.ReplyTo != nil}, {"/mentions", len(d.Mentions) > 0}, {"/attachments", len(d.Attachments) > 0},
		{"/payloads", len(d.Payloads) > 0}, {"/spoiler", d.Spoiler != nil}, {"/encryption", d.Encryption != nil},
	} {
		if f.is {
			return perch.Invalid(f.pointer, "this upstream takes text only")
		}
	}
	return nil
}
