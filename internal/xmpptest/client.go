// Package xmpptest is a raw XMPP client for the tests of the embedded services: what it sends is what
// the test wrote, and what it reads is plain XML. It shares no code with what it tests.
package xmpptest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// patience is how long a read or a write of a test may take.
const patience = 10 * time.Second

// Node is any XML element, as encoding/xml reads it.
type Node struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Kids    []Node     `xml:",any"`
}

// Get returns an attribute without namespace, or "".
func (n Node) Get(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// At walks down by local names; a missing child gives an empty node.
func (n Node) At(path ...string) Node {
	for _, p := range path {
		var found Node
		for _, k := range n.Kids {
			if k.XMLName.Local == p {
				found = k
				break
			}
		}
		n = found
	}
	return n
}

// Condition is the name of the first element in <error/>, <failure/> or <stream:error/>.
func (n Node) Condition() string {
	if n.XMLName.Local != "error" && n.XMLName.Local != "failure" {
		n = n.At("error")
	}
	if len(n.Kids) == 0 {
		return ""
	}
	return n.Kids[0].XMLName.Local
}

// Server is where a Client connects to.
type Server struct {
	Addr   net.Addr
	Domain string
	CA     *x509.CertPool
}

// Client is one connection. A read that waits for longer than ten seconds fails the test.
type Client struct {
	T    testing.TB
	Conn net.Conn
	JID  string // after Bind
	From string // in the stream headers that follow; "": none

	s    Server
	d    *xml.Decoder
	held []Node // read while waiting for something else
	n    int
}

// Dial connects; the test closes the connection at its end.
func Dial(t testing.TB, s Server) *Client {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr.String())
	if err != nil {
		t.Fatalf("net.Dial: got error %v, want none", err)
	}
	return Over(t, s, conn)
}

// Over is a Client over a connection that the test has made, such as a pipe.
func Over(t testing.TB, s Server, conn net.Conn) *Client {
	c := &Client{T: t, s: s, Conn: conn, d: xml.NewDecoder(conn)}
	t.Cleanup(func() { c.Conn.Close() })
	return c
}

// Send writes what the test has written.
func (c *Client) Send(format string, args ...any) {
	c.T.Helper()
	c.Conn.SetWriteDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprintf(c.Conn, format, args...); err != nil {
		c.T.Fatalf("send: got error %v, want none", err)
	}
}

// Start reads to the next start tag; io.EOF is the end of the stream or of the link.
func (c *Client) Start() (xml.StartElement, error) { return c.start(patience) }

func (c *Client) start(patience time.Duration) (xml.StartElement, error) {
	c.Conn.SetReadDeadline(time.Now().Add(patience))
	for {
		t, err := c.d.Token()
		if err != nil {
			if se := (*xml.SyntaxError)(nil); errors.As(err, &se) && strings.Contains(se.Msg, "unexpected EOF") {
				err = io.ErrUnexpectedEOF
			}
			return xml.StartElement{}, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t, nil
		case xml.EndElement:
			return xml.StartElement{}, io.EOF
		}
	}
}

// Read returns the next element, also one that was held; io.EOF is the end of the stream.
func (c *Client) Read() (Node, error) {
	if len(c.held) > 0 {
		n := c.held[0]
		c.held = c.held[1:]
		return n, nil
	}
	return c.readNew()
}

func (c *Client) readNew() (Node, error) { return c.Wait(patience) }

// Wait returns the next element that has not been read yet, with a patience of the test's own.
func (c *Client) Wait(patience time.Duration) (Node, error) {
	st, err := c.start(patience)
	if err != nil {
		return Node{}, err
	}
	var n Node
	return n, c.d.DecodeElement(&n, &st)
}

// Next is Read for a test that expects something.
func (c *Client) Next() Node {
	c.T.Helper()
	n, err := c.Read()
	if err != nil {
		c.T.Fatalf("read: got error %v, want none", err)
	}
	return n
}

// Find returns the first element that matches, now held or read later; what came before it stays held.
func (c *Client) Find(what string, match func(Node) bool) Node {
	c.T.Helper()
	for i, n := range c.held {
		if match(n) {
			c.held = append(c.held[:i:i], c.held[i+1:]...)
			return n
		}
	}
	for {
		n, err := c.readNew()
		if err != nil {
			c.T.Fatalf("%s: got error %v and before it %v, want it", what, err, c.held)
		}
		if match(n) {
			return n
		}
		c.held = append(c.held, n)
	}
}

// Open sends a stream header and returns what comes after the service's: the features or
// an error.
func (c *Client) Open() Node {
	c.T.Helper()
	c.d = xml.NewDecoder(c.Conn)
	from := ""
	if c.From != "" {
		from = " from='" + c.From + "'"
	}
	c.Send("<?xml version='1.0'?><stream:stream to='%s'"+from+" xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>", c.s.Domain)
	st, err := c.Start()
	if err != nil || st.Name.Local != "stream" {
		c.T.Fatalf("stream header: %v %v, want no error and %q", st.Name.Local, err, "stream")
	}
	return c.Next()
}

// Secure goes from the first features to the second ones: STARTTLS.
func (c *Client) Secure() Node {
	c.T.Helper()
	c.Open()
	c.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	if n := c.Next(); n.XMLName.Local != "proceed" {
		c.T.Fatalf("starttls: %v: got %q, want %q", n, n.XMLName.Local, "proceed")
	}
	conf := &tls.Config{RootCAs: c.s.CA, ServerName: c.s.Domain}
	if c.Conn.RemoteAddr().Network() == "pipe" { // the tickets of TLS 1.3 would wait for a read that never comes
		conf.MaxVersion = tls.VersionTLS12
	}
	tc := tls.Client(c.Conn, conf)
	if err := tc.HandshakeContext(context.Background()); err != nil {
		c.T.Fatalf("handshake: got error %v, want none", err)
	}
	c.Conn = tc
	return c.Open()
}

// Plain authenticates by PLAIN (RFC 4616) and returns the answer.
func (c *Client) Plain(user, password string) Node {
	c.T.Helper()
	text := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + password))
	c.Send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%s</auth>", text)
	return c.Next()
}

// Bind asks for a resource and keeps the JID.
func (c *Client) Bind(resource string) Node {
	c.T.Helper()
	c.Send("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>%s</resource></bind></iq>", resource)
	n := c.Next()
	c.JID = n.At("bind", "jid").Text
	return n
}

// SignIn signs in by PLAIN with a resource of that name.
func SignIn(t testing.TB, s Server, user, password, resource string) *Client {
	t.Helper()
	return Dial(t, s).SignIn(user, password, resource)
}

// SignIn signs in by PLAIN on a new connection.
func (c *Client) SignIn(user, password, resource string) *Client {
	t := c.T
	t.Helper()
	c.Secure()
	if n := c.Plain(user, password); n.XMLName.Local != "success" {
		t.Fatalf("auth: %v: got %q, want %q", n, n.XMLName.Local, "success")
	}
	c.Open()
	if n := c.Bind(resource); c.JID == "" {
		t.Fatalf("bind: %v, want some text", n)
	}
	return c
}

// Online signs in, fetches the roster, sends presence, and discards the answers.
func Online(t testing.TB, s Server, user, password, resource string) *Client {
	t.Helper()
	c := SignIn(t, s, user, password, resource)
	c.IQ("get", "", "<query xmlns='jabber:iq:roster'/>")
	c.Send("<presence/>")
	c.Sync()
	return c
}

// IQ sends a request and returns its answer; other elements are held.
func (c *Client) IQ(kind, to, payload string) Node {
	c.T.Helper()
	c.n++
	id := fmt.Sprint("q", c.n)
	if to != "" {
		to = " to='" + to + "'"
	}
	c.Send("<iq type='%s' id='%s'%s>%s</iq>", kind, id, to, payload)
	return c.Find("the answer of "+payload, func(n Node) bool {
		return n.XMLName.Local == "iq" && n.Get("id") == id && n.Get("type") != "get" && n.Get("type") != "set"
	})
}

// Sync returns all that the service sent before it answered a ping: what was caused by
// stanzas that others have synced before is in it, and nothing else can be.
func (c *Client) Sync() []Node {
	c.T.Helper()
	c.IQ("get", c.s.Domain, "<ping xmlns='urn:xmpp:ping'/>")
	all := c.held
	c.held = nil
	return all
}

// Only returns those of a kind, such as "message" or "presence subscribe".
func Only(list []Node, kind string) []Node {
	name, typ, typed := strings.Cut(kind, " ")
	var out []Node
	for _, n := range list {
		if n.XMLName.Local == name && (!typed || n.Get("type") == typ) {
			out = append(out, n)
		}
	}
	return out
}

// Ended reads to the end and returns the condition of the stream error, and whether the
// stream was closed with its end tag.
func (c *Client) Ended() (condition string, clean bool) {
	c.T.Helper()
	for {
		n, err := c.Read()
		switch {
		case err == nil && n.XMLName.Local == "error" && n.XMLName.Space == "http://etherx.jabber.org/streams":
			condition = n.Condition()
		case err == nil:
		case errors.Is(err, io.EOF):
			return condition, true
		default:
			if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
				c.T.Fatal("the stream did not end, want its end tag")
			}
			return condition, false
		}
	}
}
