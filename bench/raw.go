package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
)

// rawStream is an XMPP connection in its barest form: texts are written, and read up to a text.
// It serves as a yardstick, and for nothing else.
type rawStream struct {
	conn   net.Conn
	domain string
	tls    *tls.Config
	got    []byte // and not yet looked at
	bytes  int    // got in all
}

func dialRaw(ctx context.Context, s serverReady) (*rawStream, error) {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.CA)
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return nil, err
	}
	return &rawStream{conn: conn, domain: s.Domain, tls: &tls.Config{ServerName: s.Domain, RootCAs: pool, MinVersion: tls.VersionTLS12}}, nil
}

// secure opens the stream and makes the TLS handshake (RFC 6120, 5.4).
func (r *rawStream) secure(ctx context.Context) error {
	if err := r.exchange(r.header(), "</stream:features>"); err != nil {
		return err
	}
	if err := r.exchange("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<proceed"); err != nil {
		return err
	}
	conn := tls.Client(r.conn, r.tls)
	r.conn, r.got = conn, nil
	return conn.HandshakeContext(ctx)
}

// signIn presents a token, binds a resource and shows presence.
func (r *rawStream) signIn(token string) error {
	for _, step := range [][2]string{
		{r.header(), "</stream:features>"},
		{"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X-MESSENGER-OAUTH2'>" + token + "</auth>", "<success"},
		{r.header(), "</stream:features>"},
		{"<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", "</iq>"},
		{"<presence/>", ""},
	} {
		if err := r.exchange(step[0], step[1]); err != nil {
			return err
		}
	}
	return nil
}

func (r *rawStream) header() string {
	return "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='" + r.domain + "'>"
}

// exchange writes a text and reads up to another one; "": it does not read.
func (r *rawStream) exchange(text, want string) error {
	if _, err := io.WriteString(r.conn, text); err != nil || want == "" {
		return err
	}
	b := make([]byte, 4096)
	for {
		if i := bytes.Index(r.got, []byte(want)); i >= 0 {
			r.got = r.got[i+len(want):]
			return nil
		}
		n, err := r.conn.Read(b)
		r.bytes += n
		r.got = append(r.got, b[:n]...)
		if err != nil {
			return fmt.Errorf("waiting for %q: %w", want, err)
		}
	}
}

func (r *rawStream) close() error {
	if err := r.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
