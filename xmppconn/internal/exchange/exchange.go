// Package exchange runs a SASL mechanism on a stream: by the profile of RFC 6120, section 6, and by the
// newer one of XEP-0388, which signs in, resumes or binds (XEP-0198, XEP-0386), and deals in tokens
// (XEP-0484) in one step. It has no connection: it writes and reads by functions.
package exchange

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
	"github.com/perch-im/perch/xmppconn/internal/sasl"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const (
	nsSASL  = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsSASL2 = "urn:xmpp:sasl:2"
	nsBind2 = "urn:xmpp:bind:0"
	nsFast  = "urn:xmpp:fast:0"
	nsSM    = "urn:xmpp:sm:3"
)

// maxSteps is more than any mechanism needs.
const maxSteps = 8

// Stream is a stream inside of TLS, on which nobody else reads or writes meanwhile. Both functions have
// their deadlines; the errors of both are those of the exchange.
type Stream struct {
	Write func(xml string) error
	Next  func() (*xmlstream.Element, error)
}

// RFC6120 authenticates with a mechanism.
func (s Stream) RFC6120(name string, m sasl.Mechanism) error {
	text, err := start(name, m)
	if err != nil {
		return err
	}
	if err := s.Write("<auth xmlns='" + nsSASL + "' mechanism='" + name + "'" + sasl.AuthAttributes(m) + ">" + escape(text) + "</auth>"); err != nil {
		return err
	}
	success, err := s.run(nsSASL, name, m)
	if err != nil {
		return err
	}
	return finish(m, success.Text())
}

func start(name string, m sasl.Mechanism) (string, error) {
	text, err := m.Start()
	if err != nil {
		return "", perch.Wrap(perch.KindUnauthorized, err, "the credential cannot be used with %s", name)
	}
	return text, nil
}

func finish(m sasl.Mechanism, text string) error {
	if err := m.Finish(text); err != nil {
		return perch.Wrap(perch.KindUpstreamConfig, err, "the server did not prove that it knows the credential")
	}
	return nil
}

// run answers what the server asks until it has decided, and returns its success.
func (s Stream) run(space, name string, m sasl.Mechanism) (success *xmlstream.Element, err error) {
	for range maxSteps {
		el, err := s.Next()
		if err != nil {
			return nil, err
		}
		switch {
		case el.Is(space, "success"):
			return el, nil
		case el.Is(space, "failure"):
			return nil, refused(space, name, m, el)
		case el.Is(space, "challenge"):
			if err := s.respond(space, m, el.Text()); err != nil {
				return nil, err
			}
		case el.Is(nsSASL2, "continue") && space == nsSASL2:
			_ = s.Write("<abort xmlns='" + nsSASL2 + "'/>") // a courtesy; the connection ends in any case
			return nil, anotherStep(el)
		default:
			return nil, perch.Errorf(perch.KindLinkLost, "unexpected answer to authentication")
		}
	}
	return nil, perch.Errorf(perch.KindLinkLost, "too many SASL challenges")
}

func (s Stream) respond(space string, m sasl.Mechanism, challenge string) error {
	text, err := m.Next(challenge)
	if err != nil {
		_ = s.Write("<abort xmlns='" + space + "'/>") // a courtesy; the connection ends in any case
		return perch.Wrap(perch.KindUpstreamConfig, err, "invalid SASL challenge")
	}
	if space == nsSASL2 && text == "=" {
		text = "" // in this profile an empty element is an empty text
	}
	return s.Write("<response xmlns='" + space + "'>" + escape(text) + "</response>")
}

// refused is the error of a <failure/>. Its condition has the namespace of RFC 6120 in both profiles, and
// on some servers that of the profile.
func refused(space, name string, m sasl.Mechanism, failure *xmlstream.Element) error {
	x, _ := stanza.ParseConditions(failure, nsSASL)
	if x.Condition == undefined && space != nsSASL {
		x, _ = stanza.ParseConditions(failure, space)
	}
	return diagnosis.SASL(name, sasl.FailureStatus(m), x)
}

const undefined = "undefined-condition" // what a failure without a condition is read as
