package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"mellium.im/xmlstream"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/stanza"
	"mellium.im/xmpp/stream"
)

// bareRole opens sessions with mellium as it comes: its Session, its Serve loop, nothing
// kept. It is the yardstick for the memory of a session.
func bareRole(ctx context.Context, args []string) error {
	c, err := parseClientArgs(args)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(c.ca)
	b := &bare{addr: c.addr, domain: jid.MustParse(c.domain), tls: &tls.Config{ServerName: c.domain, RootCAs: pool, MinVersion: tls.VersionTLS12}}
	return serveFootprint(ctx, func(from, to int) error {
		if err := openAll(ctx, from, to, b.open); err != nil {
			return err
		}
		return b.awaitPresence(ctx, int64(to*c.buddies))
	})
}

type bare struct {
	addr      string
	domain    jid.JID
	tls       *tls.Config
	presences atomic.Int64
}

// open signs in, asks for the roster, shows presence, and serves until the process ends.
func (b *bare) open(ctx context.Context, i int) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", b.addr)
	if err != nil {
		return err
	}
	s, err := xmpp.NewSession(ctx, b.domain, b.domain, conn, 0, b.negotiate(fmt.Sprintf("load-%d", i)))
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	go func() {
		_ = s.Serve(xmpp.HandlerFunc(func(_ xmlstream.TokenReadEncoder, start *xml.StartElement) error {
			if start.Name.Local == "presence" {
				b.presences.Add(1)
			}
			return nil
		})) // ends with the process
	}()
	_, err = io.WriteString(s.Conn(), "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq><presence/>")
	return err
}

// awaitPresence waits until every session has the presence of all its buddies.
func (b *bare) awaitPresence(ctx context.Context, want int64) error {
	for b.presences.Load() < want {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// negotiate is STARTTLS, the raw token and bind, one call for each stream.
func (b *bare) negotiate(token string) xmpp.Negotiator {
	return func(ctx context.Context, in, out *stream.Info, s *xmpp.Session, _ any) (xmpp.SessionState, io.ReadWriter, any, error) {
		conn, r := s.Conn(), s.TokenReader()
		defer r.Close()
		out.XMLNS = stanza.NSClient
		if _, err := fmt.Fprintf(conn, "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='%s'>", b.domain); err != nil {
			return 0, nil, nil, err
		}
		if _, err := element(r, in); err != nil { // header, then features
			return 0, nil, nil, err
		}
		switch {
		case s.State()&xmpp.Secure == 0:
			if err := exchange(conn, r, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "proceed"); err != nil {
				return 0, nil, nil, err
			}
			tc := tls.Client(conn, b.tls)
			return xmpp.Secure, tc, nil, tc.HandshakeContext(ctx)
		case s.State()&xmpp.Authn == 0:
			err := exchange(conn, r, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X-MESSENGER-OAUTH2'>"+token+"</auth>", "success")
			return xmpp.Authn, conn, nil, err
		}
		err := exchange(conn, r, "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", "iq")
		return xmpp.Ready, nil, nil, err
	}
}

// exchange writes a request and expects one answer.
func exchange(w io.Writer, r xml.TokenReader, request, want string) error {
	if _, err := io.WriteString(w, request); err != nil {
		return err
	}
	name, err := element(r, nil)
	if err == nil && name != want {
		err = fmt.Errorf("got <%s/>, want <%s/>", name, want)
	}
	return err
}

// element skips one whole element and returns its name. With in it first reads the stream
// header into it.
func element(r xml.TokenReader, in *stream.Info) (string, error) {
	for {
		t, err := r.Token()
		if err != nil {
			return "", err
		}
		start, ok := t.(xml.StartElement)
		switch {
		case !ok:
		case start.Name.Local == "stream" && in != nil && strings.Contains(start.Name.Space, "etherx"):
			if err := in.FromStartElement(start); err != nil {
				return "", err
			}
		default:
			return start.Name.Local, xmlstream.Skip(r)
		}
	}
}
