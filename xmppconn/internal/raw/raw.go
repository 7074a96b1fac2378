// Package raw reads a stanza that a client of the gateway has written, and judges whether it may be sent:
// it must be one stanza that cannot end the stream, and nothing by which the gateway itself works. What is
// sent is written anew.
package raw

import (
	"slices"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// MaxBytes is how long a stanza may be, and MaxWritten how long it may become by being written anew.
const (
	MaxBytes   = 64 << 10
	MaxWritten = 2 * MaxBytes
)

// field is where a request has the stanza.
const field = "/xml"

// Stanza is one that may be sent.
type Stanza struct {
	Name string    // message, presence or iq
	Type string    // of the attribute, which may be ""
	ID   string    // as its client has written it, or ""
	To   perch.JID // normalised; "" only of an IQ, which is for the own account then
	body *xmlstream.Element
}

// limits are those of a stanza, one level inside of a stream.
func limits() xmlstream.Limits {
	l := xmlstream.DefaultLimits()
	l.Depth++
	return l
}

// Parse reads a stanza of the account self. The error is a *perch.Error of KindValidation for what is no
// stanza, and of KindForbidden for what a client may not send.
func Parse(text string, self perch.JID) (*Stanza, error) {
	if len(text) > MaxBytes {
		return nil, perch.Invalid(field, "must have at most %d bytes", MaxBytes)
	}
	// In the default namespace of a stream, which a stanza need not declare.
	stream, err := xmlstream.Parse("<s xmlns='"+xmlstream.NSClient+"'>"+strings.TrimSpace(text)+"</s>", limits())
	if err != nil {
		return nil, perch.Invalid(field, "must be one well-formed XML element: %v", err)
	}
	if len(stream.Children()) != 1 || stream.Text() != "" {
		return nil, perch.Invalid(field, "must be one XML element, with nothing beside it")
	}
	s := &Stanza{body: stream.Children()[0]}
	return s, s.read(self)
}

func (s *Stanza) read(self perch.JID) error {
	el := s.body
	s.Name, s.Type, s.ID = el.Local(), el.Attr("type"), el.Attr("id")
	if el.Space() != xmlstream.NSClient || s.Name != "message" && s.Name != "presence" && s.Name != "iq" {
		return forbidden("only message, presence and iq of the namespace %s can be sent", xmlstream.NSClient)
	}
	if name := el.OtherAttr("to", "type", "id"); name != "" {
		return perch.Invalid(field, "must not have the attribute %s: from is the account's, and others are none of a stanza", name)
	}
	if to := el.Attr("to"); to != "" {
		jid, err := perch.ParseJID(to)
		if err != nil {
			return perch.Invalid(field, "is to an address that is no JID (RFC 7622)")
		}
		s.To, s.body = jid, el.With("to", string(jid))
	}
	switch s.Name {
	case "iq":
		return s.checkIQ(self)
	case "presence":
		return s.checkPresence(self)
	}
	return s.checkMessage()
}

// forbidden is the answer to what is not for clients.
func forbidden(format string, args ...any) error {
	e := *perch.Errorf(perch.KindForbidden, format, args...)
	e.Fields = []perch.FieldError{{Pointer: field, Detail: e.Detail}}
	return &e
}

// Append writes a message or presence.
func (s *Stanza) Append(b []byte) ([]byte, error) {
	return written(b, []*xmlstream.Element{s.body})
}

// IsAnswer reports whether it is an IQ that answers one of another entity.
func (s *Stanza) IsAnswer() bool { return s.Name == "iq" && (s.Type == "result" || s.Type == "error") }

// Payload is what is in an IQ: one element in a request, with the error beside it in an error answer, none in a
// result that says no more.
func (s *Stanza) Payload() ([]byte, error) { return written(nil, s.body.Children()) }

// written appends elements, of MaxWritten in all.
func written(b []byte, elements []*xmlstream.Element) ([]byte, error) {
	w := xmlstream.NewWriter(b)
	w.AtMost(MaxWritten)
	for _, el := range elements {
		w.Tree(field, el.Borrowed(), xmlstream.NSClient)
	}
	return w.Result()
}

// Answer writes the answer to the IQ as its client would have got it, with its own id. The cause of the error
// is perch.ErrAnswerTooLarge.
func (s *Stanza) Answer(in stanza.IQ) (string, error) { return Answer(in, s.ID) }

// Answer is Stanza.Answer for the id that a client has written.
func Answer(in stanza.IQ, id string) (string, error) {
	el := xmlstream.NewElement(xmlstream.NSClient, "iq", "").With("type", in.Type).With("id", id).With("from", string(in.From)).With("to", string(in.To))
	el = el.Holding(slices.DeleteFunc([]*xmlstream.Element{in.Payload, in.ErrFrom}, func(c *xmlstream.Element) bool { return c == nil }))
	w := xmlstream.NewWriter(nil)
	w.Tree("", el.Borrowed(), "")
	b, err := w.Result()
	if err != nil { // what was read can be written, unless that takes too much
		return "", perch.Wrap(perch.KindXMPP, perch.ErrAnswerTooLarge, "the answer exceeds the limits of this gateway")
	}
	return string(b), nil
}
