// Package callout makes POST requests to addresses that clients have named: the receivers of webhooks, and
// the push services of browsers.
//
// Such an address is foreign in every way. It may lead inside of the operator's network, at once or after
// its name was looked up a second time; it may never answer, answer without end, or lead elsewhere. So the
// address that is dialled is judged by a dialguard.Guard, no redirect is followed, nothing is asked of a
// proxy of the environment, and times and sizes are bounded. Errors are for whoever has named the address:
// they say what to do about it, and nothing of what is behind it.
package callout

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/perch-im/perch/internal/dialguard"
)

// Times and sizes of one request.
const (
	ConnectTime = 5 * time.Second // to look up, connect and agree on TLS
	AnswerTime  = 5 * time.Second // from the request to the head of its answer
	bodyTime    = time.Second     // to read what follows the head
	bodyBytes   = 64 << 10
	headBytes   = 16 << 10
)

// Connections that wait for the next request.
const (
	idleTime    = 30 * time.Second
	idlePerHost = 32 // as many as are under way to one host at once
	idleInAll   = 256
)

// Options of a Client. The zero value lets to public addresses, by https alone.
type Options struct {
	// Allow are networks that may be dialled besides, on every port and without TLS, too.
	Allow []netip.Prefix
	// Roots are who may have signed the certificates of receivers; nil: those of the system.
	Roots *x509.CertPool
	// Resolver looks names up; nil: that of the system.
	Resolver *net.Resolver
}

// Client makes the requests. It is safe for concurrent use; Close it to end its idle connections.
type Client struct {
	guard         dialguard.Guard
	secure, plain *http.Transport
}

// New makes a client. It does no I/O.
func New(o Options) *Client {
	secure := dialguard.Guard{Allow: o.Allow}
	return &Client{
		guard:  secure,
		secure: newTransport(o, secure),
		// A name may lead anywhere: without TLS only where the operator has allowed it.
		plain: newTransport(o, dialguard.Guard{Allow: o.Allow, Only: true}),
	}
}

func newTransport(o Options, g dialguard.Guard) *http.Transport {
	dialer := &net.Dialer{Timeout: ConnectTime, Resolver: o.Resolver, Control: g.Control}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: ConnectTime, ResponseHeaderTimeout: AnswerTime,
		Protocols: protocols, DisableCompression: true, MaxResponseHeaderBytes: headBytes,
		MaxIdleConns: idleInAll, MaxIdleConnsPerHost: idlePerHost, IdleConnTimeout: idleTime,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots},
	}
}

// Close ends the connections that wait. Requests under way go on.
func (c *Client) Close() {
	c.secure.CloseIdleConnections()
	c.plain.CloseIdleConnections()
}

// Answer is what came of a request.
type Answer struct {
	Status     int           // of HTTP; 0: there was none
	Err        error         // nil when the status is 200 to 299
	Refused    bool          // the address may not be dialled
	RetryAfter time.Duration // as the receiver asks; 0: it does not
}

// Post makes one request and waits for the head of its answer, for ConnectTime and AnswerTime at most. The
// address is one that Check lets pass, or it is refused. header is not changed, and is not to be while Post runs.
func (c *Client) Post(ctx context.Context, to string, header http.Header, body []byte) Answer {
	u, err := c.parse(to)
	if err != nil { // what the operator allows may have changed since
		return Answer{Refused: true, Err: errNotPublic}
	}
	ctx, cancel := context.WithTimeout(ctx, ConnectTime+AnswerTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return Answer{Refused: true, Err: errNotPublic}
	}
	req.Header = header
	transport := c.secure
	if u.Scheme == "http" {
		transport = c.plain
	}
	res, err := transport.RoundTrip(req) // which follows no redirect
	if err != nil {
		return failed(ctx, err)
	}
	defer res.Body.Close()
	// Its bytes say nothing that is wanted, but a connection is used again only when they are read.
	late := time.AfterFunc(bodyTime, cancel)
	defer late.Stop()
	_, _ = io.CopyN(io.Discard, res.Body, bodyBytes)
	return answered(res, time.Now())
}
