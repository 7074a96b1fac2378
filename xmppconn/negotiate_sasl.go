package xmppconn

import (
	"strings"

	"github.com/perch-im/perch"
)

// maxSASLSteps is more than any mechanism needs.
const maxSASLSteps = 8

// authenticate is RFC 6120, 6. The caller has made sure of TLS.
func (l *login) authenticate(features *element) error {
	l.doing = "authenticating"
	name, m, err := chooseMechanism(&l.d.up, l.acc, offeredMechanisms(features))
	if err != nil {
		return err
	}
	l.namesUser = namesUser(name)
	text, err := m.start()
	if err != nil {
		return perch.Wrap(perch.KindUnauthorized, err, "the credential cannot be used with %s", name)
	}
	attrs := ""
	if a, ok := m.(attributed); ok {
		attrs = a.authAttributes()
	}
	if err := l.write("<auth xmlns='" + nsSASL + "' mechanism='" + name + "'" + attrs + ">" + escape(text) + "</auth>"); err != nil {
		return err
	}
	return l.converse(name, m)
}

// converse answers what the server asks until it has decided.
func (l *login) converse(name string, m mechanism) error {
	for range maxSASLSteps {
		el, err := l.element()
		if err != nil {
			return err
		}
		switch {
		case el.is(nsSASL, "success"):
			if err := m.finish(el.text); err != nil {
				return perch.Wrap(perch.KindUpstreamConfig, err, "the server could not prove who it is")
			}
			l.authenticated = true
			return nil
		case el.is(nsSASL, "failure"):
			return refused(name, m, el)
		case el.is(nsSASL, "challenge"):
			if err := l.respond(m, el.text); err != nil {
				return err
			}
		default:
			return perch.Errorf(perch.KindLinkLost, "the server answered authentication with something else")
		}
	}
	return perch.Errorf(perch.KindLinkLost, "authentication has no end")
}

func (l *login) respond(m mechanism, challenge string) error {
	text, err := m.next(challenge)
	if err != nil {
		_ = l.write("<abort xmlns='" + nsSASL + "'/>") // a courtesy; the connection ends in any case
		return perch.Wrap(perch.KindUpstreamConfig, err, "the server's part of the authentication is wrong")
	}
	return l.write("<response xmlns='" + nsSASL + "'>" + escape(text) + "</response>")
}

func refused(name string, m mechanism, failure *element) error {
	x, _ := parseConditions(failure, nsSASL)
	status := ""
	if e, ok := m.(explaining); ok {
		status = e.failureStatus()
	}
	return saslFailure(name, status, x)
}

// offeredMechanisms reads the names in the features. The Messenger service printed blanks
// after its own.
func offeredMechanisms(features *element) (names []string) {
	list := features.child(nsSASL, "mechanisms")
	if list == nil {
		return nil
	}
	for _, m := range list.children {
		if m.is(nsSASL, "mechanism") {
			names = append(names, strings.TrimSpace(m.text))
		}
	}
	return names
}
