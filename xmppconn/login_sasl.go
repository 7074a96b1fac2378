package xmppconn

import (
	"crypto/tls"

	"github.com/perch-im/perch/xmppconn/internal/clientcert"
	"github.com/perch-im/perch/xmppconn/internal/exchange"
	"github.com/perch-im/perch/xmppconn/internal/negotiate"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// authenticate signs in inside of TLS: by the newer profile where the server has it (XEP-0388), else by
// that of RFC 6120, 6.
func (l *login) authenticate(features *xmlstream.Element) error {
	l.doing = "authenticating"
	state := l.c.nc.(*tls.Conn).ConnectionState()
	l.c.login.Fast = l.acc.Fast // unless the server says something of it
	l.offer = negotiate.OfferOf(features)
	if l.d.up.Profile == ProfileMessenger {
		l.offer.SASL2 = negotiate.SASL2{}
	}
	if l.invalidate {
		return l.invalidateToken(&state)
	}
	choice, err := negotiate.Pick(&l.d.policy, l.acc, l.offer, &state)
	if err != nil {
		return err
	}
	l.namesUser, l.c.login.Mechanism = choice.Method.NeedsUser, choice.Method.Name
	if choice.SASL2 {
		return l.signIn(choice, &state)
	}
	if err := l.exchange().RFC6120(choice.Method.Name, choice.Mechanism); err != nil {
		return err
	}
	l.authenticated = true
	return nil
}

// blame is the error of the login, which is of the operator's certificate where that was shown.
func (l *login) blame(err error) error {
	if err == nil || !l.d.up.Client.For(l.acc) {
		return err
	}
	return clientcert.Blame(err)
}

// exchange is what a mechanism runs on.
func (l *login) exchange() exchange.Stream {
	return exchange.Stream{Write: l.write, Next: l.element}
}

// afterAuthentication returns the features of the authenticated stream: that is another one by RFC 6120, 6.4.6,
// and the same by XEP-0388. Of a stream that was resumed with the login none need come.
func (l *login) afterAuthentication() (*xmlstream.Element, error) {
	l.stage, l.doing = StageAfterSASL, "opening the stream after authentication"
	switch {
	case l.success == nil:
		return l.openStream(l.c.nc)
	case l.c.login.Resumed:
		return nil, nil
	}
	return l.awaitFeatures()
}
