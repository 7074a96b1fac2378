package xmppconn

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/xml"
	"net"
	"strings"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
	"github.com/perch-im/perch/xmppconn/internal/exchange"
	"github.com/perch-im/perch/xmppconn/internal/negotiate"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// login is the state of one sign-in at one target. It ends with run; what is left of it is
// the Conn.
type login struct {
	ctx   context.Context
	d     *Dialer
	c     *Conn
	acc   perch.Account
	t     target
	stage Stage
	doing string // for error texts

	met           bool // the server has sent a stream header: it is an XMPP server
	authenticated bool
	namesUser     bool // the mechanism names the account: its success proves the JID
	offer         negotiate.Offer
	success       *exchange.Success // of XEP-0388; nil: the server has not said it so
	verify        bool              // nothing is resumed or bound
	invalidate    bool              // the account's token is ended, and nothing else
	earlier       *streamState      // to resume; nil: bind
	refused       *refusedResume    // what the server knew of it, when it refused; or nil
	unmanaged     bool              // stream management is not asked for
	earlyBytes    int
	until         time.Time // when an optional step ends without an answer; 0: no such step
}

func newLogin(ctx context.Context, d *Dialer, acc perch.Account, t target, raw net.Conn) *login {
	return &login{ctx: ctx, d: d, c: newConn(d, raw, acc, t.direct), acc: acc, t: t, stage: StageBeforeTLS}
}

// run is the whole of RFC 6120, 4 to 7, in its order. Whatever the server offers or leaves
// out, nothing secret is written before TLS is on and the certificate is verified.
func (l *login) run() error {
	features, err := l.secure()
	if err != nil {
		return err
	}
	if err := l.authenticate(features); err != nil {
		return err
	}
	if features, err = l.afterAuthentication(); err != nil {
		return err
	}
	if err := l.resume(features); err != nil {
		return err
	}
	if l.c.login.Resumed {
		return l.checkResult()
	}
	if err := l.bind(features); err != nil {
		return err
	}
	if err := l.discover(features); err != nil {
		return err
	}
	if err := l.enable(features); err != nil {
		return err
	}
	return l.checkResult()
}

// secure brings the connection to TLS and returns the features inside of it.
func (l *login) secure() (*xmlstream.Element, error) {
	if !l.t.direct {
		if err := l.startTLS(); err != nil {
			return nil, err
		}
	} else if err := l.handshake(l.d.tls.of(l.acc, true)); err != nil {
		return nil, err
	}
	l.stage, l.doing = StageAfterTLS, "opening the stream inside of TLS"
	return l.openStream(l.c.nc)
}

// startTLS is RFC 6120, 5. A server that does not offer it is refused: a man in the middle
// would only have to take the offer out.
func (l *login) startTLS() error {
	l.doing = "opening the stream"
	features, err := l.openStream(l.c.raw)
	if err != nil {
		return err
	}
	if features.Child(nsTLS, "starttls") == nil {
		return diagnosis.NoTLS("does not offer TLS")
	}
	if err := l.write("<starttls xmlns='" + nsTLS + "'/>"); err != nil {
		return err
	}
	el, err := l.element()
	if err != nil {
		return err
	}
	if !el.Is(nsTLS, "proceed") {
		return diagnosis.NoTLS("refuses to start TLS")
	}
	// Bytes after <proceed/> were not protected, yet would be read as if they were.
	if l.c.fr.Buffered() > 0 {
		return perch.Errorf(perch.KindUpstreamTLS, "unexpected plaintext after STARTTLS")
	}
	return l.handshake(l.d.tls.of(l.acc, false))
}

func (l *login) handshake(cfg *tls.Config) error {
	l.doing = "starting TLS"
	l.deadline()
	tc := tls.Client(l.c.raw, cfg)
	if err := tc.HandshakeContext(l.ctx); err != nil {
		return diagnosis.Network(diagnosis.TLS(err), l.doing)
	}
	l.c.nc = tc
	return nil
}

// openStream sends a stream header and reads the server's and its features (RFC 6120, 4.2
// and 4.3).
func (l *login) openStream(conn net.Conn) (*xmlstream.Element, error) {
	l.c.nc = conn
	l.c.fr.Reset((*connReader)(l.c))
	if err := l.write("<?xml version='1.0'?><stream:stream to='" + escape(l.d.up.Domain) +
		"'" + l.from() + " version='1.0' xml:lang='en' xmlns='" + nsClient + "' xmlns:stream='" + nsStream + "'>"); err != nil {
		return nil, err
	}
	old, err := l.header()
	if err != nil {
		return nil, err
	}
	el, err := l.element()
	if err != nil {
		return nil, err
	}
	if old || !el.Is(nsStream, "features") {
		return nil, perch.Errorf(perch.KindUpstreamConfig, "the server does not support XMPP 1.0")
	}
	return el, nil
}

// header reads the server's stream header. Old is one of before XMPP 1.0.
func (l *login) header() (old bool, err error) {
	l.deadline()
	f, err := l.c.fr.Next()
	if err != nil {
		if !l.met {
			err = diagnosis.FirstAnswer(err)
		}
		return false, diagnosis.Network(err, l.doing)
	}
	if f.Kind != xmlstream.KindHeader {
		return false, perch.Errorf(perch.KindLinkLost, "%s: the server sent no stream header", l.doing)
	}
	l.met = true
	old = !strings.HasPrefix(f.Header.Version, "1.")
	f.Release()
	return old, nil
}

// element returns the next element of the stream. A stream error is an error here, whatever
// was awaited, and so is its see-other-host.
func (l *login) element() (*xmlstream.Element, error) {
	l.deadline()
	f, err := l.c.fr.Next()
	if err != nil {
		return nil, diagnosis.Network(err, l.doing)
	}
	defer f.Release()
	switch f.Kind {
	case xmlstream.KindElement:
		el, err := f.Parse()
		if err != nil {
			return nil, diagnosis.Network(err, l.doing)
		}
		if el.Is(nsStream, "error") {
			return nil, l.c.handleStreamError(el, l.stage)
		}
		return el, nil
	case xmlstream.KindEnd:
		return nil, diagnosis.Network(diagnosis.ErrClosedByServer, l.doing)
	}
	return nil, perch.Errorf(perch.KindLinkLost, "%s: unexpected element", l.doing)
}

// deadline gives the server the time of one step, or what is left of an optional one.
func (l *login) deadline() {
	_ = l.c.raw.SetDeadline(time.Now().Add(l.d.up.StepTimeout))
	if !l.until.IsZero() {
		_ = l.c.raw.SetReadDeadline(l.until)
	}
}

func (l *login) write(s string) error {
	l.deadline()
	if _, err := l.c.nc.Write([]byte(s)); err != nil {
		return diagnosis.Network(err, l.doing)
	}
	return nil
}

// checkResult checks once more what must be true of a connection that is handed out, independently
// of the code above.
func (l *login) checkResult() error {
	tc, ok := l.c.nc.(*tls.Conn)
	if !ok || !tc.ConnectionState().HandshakeComplete || tc.ConnectionState().Version < tls.VersionTLS12 {
		return perch.Errorf(perch.KindUpstreamTLS, "the connection is not encrypted")
	}
	if !l.authenticated {
		return perch.Errorf(perch.KindUnauthorized, "the server did not authenticate the client")
	}
	me := l.c.login.JID
	if me.Local() == "" || me.Resource() == "" {
		return perch.Errorf(perch.KindUpstreamConfig, "the server did not bind a full JID")
	}
	if !sameDomain(me.Domain(), l.d.up.Domain) {
		return perch.Errorf(perch.KindUpstreamConfig, "the server bound a JID of another domain")
	}
	return l.c.raw.SetDeadline(time.Time{})
}

// escape makes text fit for an element or an attribute in single quotes.
func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer takes everything
	return b.String()
}
