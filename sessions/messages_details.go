package sessions

import (
	"github.com/perch-im/perch"
)

// detailsToSend are the details of a message that is to be sent to somebody, as a copy: those that
// are the sender's, and the answered message by its id. Who wrote that is left out where it is
// the account, whose address the owner knows.
func detailsToSend(d *perch.MessageDetails, to perch.JID) (*perch.MessageDetails, error) {
	if d == nil {
		return nil, nil //nolint:nilnil // there are none
	}
	own := *d
	own.Edited, own.Retracted, own.Reactions, own.PayloadsTruncated = nil, nil, nil, false
	if d.ReplyTo != nil {
		reply, err := replyToSend(*d.ReplyTo, to)
		if err != nil {
			return nil, err
		}
		own.ReplyTo = reply
	}
	return &own, nil
}

func replyToSend(r perch.Reply, to perch.JID) (*perch.Reply, error) {
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
		if r.From = ""; !ref.Sent {
			r.From = to.Bare()
		}
	}
	return &r, nil
}

// fillReplyFrom names the author of a message of the account that is answered, which detailsToSend does
// not know.
func fillReplyFrom(d *perch.MessageDetails, own perch.JID) {
	if d == nil || d.ReplyTo == nil || d.ReplyTo.From != "" {
		return
	}
	if ref, err := perch.ParseRef(d.ReplyTo.Ref); err == nil && ref.Sent {
		d.ReplyTo.From = own.Bare()
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
