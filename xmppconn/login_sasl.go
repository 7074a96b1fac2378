package xmppconn

import (
	"crypto/tls"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
	"github.com/perch-im/perch/xmppconn/internal/negotiate"
	"github.com/perch-im/perch/xmppconn/internal/sasl"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// maxSASLSteps is more than any mechanism needs.
const maxSASLSteps = 8

// authenticate is RFC 6120, 6, inside of TLS.
func (l *login) authenticate(features *xmlstream.Element) error {
	l.doing = "authenticating"
	tc := l.c.nc.(*tls.Conn)
	state := tc.ConnectionState()
	method, m, err := negotiate.Choose(&l.d.policy, l.acc, negotiate.OfferOf(features), &state)
	if err != nil {
		return err
	}
	l.namesUser, l.c.login.Mechanism = method.NeedsUser, method.Name
	text, err := m.Start()
	if err != nil {
		return perch.Wrap(perch.KindUnauthorized, err, "the credential cannot be used with %s", method.Name)
	}
	if err := l.write("<auth xmlns='" + nsSASL + "' mechanism='" + method.Name + "'" + sasl.AuthAttributes(m) + ">" + escape(text) + "</auth>"); err != nil {
		return err
	}
	return l.exchange(method.Name, m)
}

// exchange answers what the server asks until it has decided.
func (l *login) exchange(name string, m sasl.Mechanism) error {
	for range maxSASLSteps {
		el, err := l.element()
		if err != nil {
			return err
		}
		switch {
		case el.Is(nsSASL, "success"):
			if err := m.Finish(el.Text()); err != nil {
				return perch.Wrap(perch.KindUpstreamConfig, err, "the server did not prove that it knows the credential")
			}
			l.authenticated = true
			return nil
		case el.Is(nsSASL, "failure"):
			return refused(name, m, el)
		case el.Is(nsSASL, "challenge"):
			if err := l.respond(m, el.Text()); err != nil {
				return err
			}
		default:
			return perch.Errorf(perch.KindLinkLost, "unexpected answer to authentication")
		}
	}
	return perch.Errorf(perch.KindLinkLost, "too many SASL challenges")
}

func (l *login) respond(m sasl.Mechanism, challenge string) error {
	text, err := m.Next(challenge)
	if err != nil {
		_ = l.write("<abort xmlns='" + nsSASL + "'/>") // a courtesy; the connection ends in any case
		return perch.Wrap(perch.KindUpstreamConfig, err, "invalid SASL challenge")
	}
	return l.write("<response xmlns='" + nsSASL + "'>" + escape(text) + "</response>")
}

func refused(name string, m sasl.Mechanism, failure *xmlstream.Element) error {
	x, _ := stanza.ParseConditions(failure, nsSASL)
	return diagnosis.SASL(name, sasl.FailureStatus(m), x)
}
