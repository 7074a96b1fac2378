package xmppconn

import (
	"crypto/tls"
	"errors"
	"io"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
	"github.com/perch-im/perch/xmppconn/internal/exchange"
	"github.com/perch-im/perch/xmppconn/internal/negotiate"
	"github.com/perch-im/perch/xmppconn/internal/sasl"
	"github.com/perch-im/perch/xmppconn/internal/smwire"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// errTokenRefused: the server closed the connection at a token, or once it had refused one. The next
// attempt signs in with the credential.
var errTokenRefused = perch.Errorf(perch.KindLinkLost, "the server closed the connection at the token of an earlier login")

// signIn is the login in one step (XEP-0388): with the token of an earlier one (XEP-0484), and where the
// server does not take that, with the credential, on the same stream.
func (l *login) signIn(choice negotiate.Choice, state *tls.ConnectionState) error {
	token := negotiate.Fast(&l.d.policy, l.acc, l.offer, state, perch.At(time.Now()))
	if token == nil {
		r := l.request2(choice.Method.Name, choice.Mechanism)
		r.TokenFor = negotiate.FastRequest(&l.d.policy, l.acc, choice.Method, l.offer, state)
		return l.authenticate2(r)
	}
	r := l.request2(l.acc.Fast.Mechanism, token)
	r.Fast = &exchange.Fast{Count: l.acc.Fast.Count}
	err := l.authenticate2(r)
	if _, refused := errors.AsType[*SASLError](err); !refused {
		if err == nil {
			l.c.login.Mechanism = "" // the account has proved nothing but that it has been here before
			l.d.counters.TokenSignIns.Add(1)
		}
		return l.unlessClosed(err)
	}
	l.d.counters.TokensRefused.Add(1)
	l.d.log.Debug("token of an earlier login refused, signing in with the credential", "err", err)
	kept := l.acc.Fast
	if l.acc.Fast = (perch.FastToken{}); perch.KindOf(err) == perch.KindTryLater {
		l.acc.Fast = kept // it is the server that cannot check it just now
	}
	r = l.request2(choice.Method.Name, choice.Mechanism)
	r.TokenFor = negotiate.FastRequest(&l.d.policy, l.acc, choice.Method, l.offer, state)
	return l.unlessClosed(l.authenticate2(r))
}

// invalidateToken ends the account's token, by a login with it for the last time (XEP-0484, 3.6).
func (l *login) invalidateToken(state *tls.ConnectionState) error {
	m := negotiate.Fast(&l.d.policy, l.acc, l.offer, state, perch.At(time.Now()))
	if m == nil {
		return perch.Errorf(perch.KindFeatureUnsupported, "the server does not take the token")
	}
	r := l.request2(l.acc.Fast.Mechanism, m)
	r.Fast = &exchange.Fast{Count: l.acc.Fast.Count, Invalidate: true}
	return l.authenticate2(r)
}

// unlessClosed is the error of a login that a token was shown in.
func (l *login) unlessClosed(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, diagnosis.ErrClosedByServer) {
		return errors.Join(errTokenRefused, err)
	}
	return err
}

// request2 asks for all that the login is for, as far as the server does it in one step. A resource is
// bound so only for a session that reads in its archive what it missed: the server drops what it had kept
// (XEP-0386, 4). One that is wanted by name cannot be.
func (l *login) request2(name string, m sasl.Mechanism) exchange.Request {
	r := exchange.Request{Name: name, Mechanism: m, Agent: l.acc.Agent}
	if l.verify {
		return r
	}
	if l.earlier != nil && l.offer.SASL2.Resume {
		if resume, err := smwire.AppendResume(nil, l.earlier.ID, uint32(l.earlier.In)); err == nil {
			r.Resume = string(resume)
		}
	}
	if l.offer.SASL2.Bind && l.acc.Archived && l.acc.Resource == "" {
		r.Bind = &exchange.Bind{
			Carbons: l.offer.SASL2.Enables(nsCarbons),
			Manage:  l.offer.SASL2.Enables(nsSM) && !l.unmanaged,
		}
	}
	return r
}

// authenticate2 makes one request, and takes in what the server says of it.
func (l *login) authenticate2(r exchange.Request) error {
	s, err := l.exchange().SASL2(r)
	if err != nil {
		return l.notResumed(r, err)
	}
	l.authenticated, l.success = true, s
	l.c.login.Fast = l.token(r, s)
	if r.Resume != "" {
		if err := l.resumedWithLogin(); l.c.login.Resumed || err != nil {
			return err
		}
	}
	if r.Bind == nil || !s.Bound {
		return nil
	}
	l.c.login.JID = s.JID
	if in, ok := smwire.Parse(s.Enabled); ok && in.Kind == smwire.Enabled {
		l.manage(in)
		l.c.sm.counting = true // what comes from here on counts, also if the login takes it
	}
	return nil
}

// token is the one for the next login: that which the server has given, as it was asked to or in the place
// of the one that was used (XEP-0484, 3.5), or else the account's.
func (l *login) token(r exchange.Request, s *exchange.Success) perch.FastToken {
	next := perch.FastToken{Mechanism: r.TokenFor, Token: s.Token, Expires: s.Expires}
	if r.Fast != nil {
		next.Mechanism = r.Name
	}
	if next.Mechanism == "" || next.IsZero() {
		return l.acc.Fast
	}
	return next
}

// notResumed is the error of a request. A server that closes the connection, or falls silent, where a
// stream was to be resumed may do without it.
func (l *login) notResumed(r exchange.Request, err error) error {
	closed := errors.Is(err, io.EOF) || errors.Is(err, diagnosis.ErrClosedByServer)
	if r.Resume != "" && (closed || perch.KindOf(err) == perch.KindUpstreamTimeout && l.ctx.Err() == nil) {
		return errors.Join(errNotResumed, err)
	}
	return err
}

// resumedWithLogin takes in what became of the stream that was to be resumed. It is not asked for again.
func (l *login) resumedWithLogin() error {
	st := l.earlier
	l.earlier = nil
	in, ok := smwire.Parse(l.success.Resumed)
	switch {
	case ok && in.Kind == smwire.Resumed && in.ID == st.ID:
		if !l.resumed(st, in.H) {
			return errNotResumed
		}
	case ok && in.Kind == smwire.Failed:
		l.d.counters.ResumesFailed.Add(1)
		l.recordRefusal(st, in)
	case l.success.Resumed != nil:
		return errNotResumed // another stream, or one without a count: nothing is known of ours
	}
	return nil
}

// bound reports whether the server has bound a resource with the login.
func (l *login) bound() bool { return l.success != nil && l.success.Bound }

// awaitFeatures reads on to the features that follow a success.
func (l *login) awaitFeatures() (features *xmlstream.Element, err error) {
	err = l.await("features", "", func(el *xmlstream.Element) bool {
		features = el
		return el.Is(nsStream, "features")
	})
	return features, err
}

// sent notes a request of the login on a stream whose stanzas count already (XEP-0198, 4).
func (l *login) sent(iq []byte) {
	if m := l.c.sm; l.counting() {
		m.out++
		m.bytes += len(iq)
		m.queue = append(m.queue, unacked{xml: iq})
	}
}

func (l *login) counting() bool { return l.c.sm != nil && l.c.sm.counting }

// counts has the reader count, in its place between the others, a frame that the login has dealt with.
func (l *login) counts(id string, to perch.JID, f *xmlstream.Frame) error {
	if !l.counting() {
		return nil
	}
	l.expectLater(id, to, func(stanza.IQ, error) {})
	return l.holdEarly(f)
}

// expectLater has the reader take an answer.
func (l *login) expectLater(id string, to perch.JID, answer func(stanza.IQ, error)) {
	if l.c.iqs == nil {
		l.c.iqs = map[string]*openIQ{}
	}
	l.c.iqs[id] = &openIQ{to: to, answer: answer}
}

// from is the account, for the stream header inside of TLS: a server offers by it what it has for that
// account (XEP-0388, 2.1). The Messenger service was never told.
func (l *login) from() string {
	if l.c.nc == l.c.raw || l.d.up.Profile == ProfileMessenger || l.acc.JID.Local() == "" {
		return ""
	}
	return " from='" + escape(string(l.acc.JID.Bare())) + "'"
}
