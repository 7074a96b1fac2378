package messenger_test

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/messenger"
)

const domain = messenger.DefaultDomain

// node is any XML element, as encoding/xml reads it.
type node struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Kids    []node     `xml:",any"`
}

func (n node) get(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// at walks down by local names; a missing child gives an empty node.
func (n node) at(path ...string) node {
	for _, p := range path {
		var found node
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

// condition is the name of the first element in <error/>, <failure/> or <stream:error/>.
func (n node) condition() string {
	if n.XMLName.Local != "error" && n.XMLName.Local != "failure" {
		n = n.at("error")
	}
	if len(n.Kids) == 0 {
		return ""
	}
	return n.Kids[0].XMLName.Local
}

// start runs a service for one test.
func start(t testing.TB, o messenger.Options) *messenger.Service {
	t.Helper()
	if o.Logger == nil {
		o.Logger = canary.Logger()
	}
	s, err := messenger.New(o)
	if err != nil {
		t.Fatalf("messenger.New: got error %v, want none", err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatalf("s.Start: got error %v, want none", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Errorf("Stop: got error %v, want none", err)
		}
	})
	return s
}

// client is a raw XMPP client: what it sends is what the test wrote.
type client struct {
	t    testing.TB
	s    *messenger.Service
	conn net.Conn
	d    *xml.Decoder
	jid  string
	held []node // read while waiting for something else
	n    int
}

func dial(t testing.TB, s *messenger.Service) *client {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatalf("net.Dial: got error %v, want none", err)
	}
	return newClient(t, s, conn)
}

func newClient(t testing.TB, s *messenger.Service, conn net.Conn) *client {
	c := &client{t: t, s: s, conn: conn, d: xml.NewDecoder(conn)}
	t.Cleanup(func() { c.conn.Close() })
	return c
}

func (c *client) send(format string, args ...any) {
	c.t.Helper()
	c.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprintf(c.conn, format, args...); err != nil {
		c.t.Fatalf("send: got error %v, want none", err)
	}
}

// start reads to the next start tag; io.EOF is the end of the stream or of the link.
func (c *client) start() (xml.StartElement, error) {
	c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	return c.start0()
}

// start0 is start with the deadline as it is.
func (c *client) start0() (xml.StartElement, error) {
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

func (c *client) read() (node, error) {
	if len(c.held) > 0 {
		n := c.held[0]
		c.held = c.held[1:]
		return n, nil
	}
	return c.readNew()
}

func (c *client) readNew() (node, error) {
	st, err := c.start()
	if err != nil {
		return node{}, err
	}
	var n node
	return n, c.d.DecodeElement(&n, &st)
}

// next is read for a test that expects something.
func (c *client) next() node {
	c.t.Helper()
	n, err := c.read()
	if err != nil {
		c.t.Fatalf("read: got error %v, want none", err)
	}
	return n
}

// open sends a stream header and returns what comes after the service's: the features or
// an error.
func (c *client) open() node {
	c.t.Helper()
	return c.openTo(domain)
}

func (c *client) openTo(to string) node {
	c.t.Helper()
	c.d = xml.NewDecoder(c.conn)
	c.send("<?xml version='1.0'?><stream:stream to='%s' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>", to)
	st, err := c.start()
	if err != nil || st.Name.Local != "stream" {
		c.t.Fatalf("stream header: %v %v, want no error and %q", st.Name.Local, err, "stream")
	}
	return c.next()
}

// secure goes from the first features to the second ones.
func (c *client) secure() node {
	c.t.Helper()
	c.open()
	c.handshake()
	return c.open()
}

func (c *client) handshake() {
	c.t.Helper()
	c.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	if n := c.next(); n.XMLName.Local != "proceed" {
		c.t.Fatalf("starttls: %v: got %q, want %q", n, n.XMLName.Local, "proceed")
	}
	c.tls()
}

func (c *client) tls() {
	c.t.Helper()
	// Over a pipe the tickets of TLS 1.3 would wait for a read that never comes.
	conf := &tls.Config{RootCAs: c.s.CA(), ServerName: domain}
	if c.conn.RemoteAddr().Network() == "pipe" {
		conf.MaxVersion = tls.VersionTLS12
	}
	tc := tls.Client(c.conn, conf)
	if err := tc.HandshakeContext(context.Background()); err != nil {
		c.t.Fatalf("handshake: got error %v, want none", err)
	}
	c.conn = tc
}

// auth shows a token. The accounts of world have one with their name in it.
func (c *client) auth(token string) node {
	c.t.Helper()
	if len(token) == 3 {
		token = canary.Mark + token
	}
	c.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X-MESSENGER-OAUTH2'>%s</auth>", token)
	return c.next()
}

func (c *client) bind(resource string) node {
	c.t.Helper()
	c.send("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>%s</resource></bind></iq>", resource)
	n := c.next()
	c.jid = n.at("bind", "jid").Text
	return n
}

// complete signs in on a new connection.
func (c *client) complete(token string) *client {
	c.t.Helper()
	c.secure()
	if n := c.auth(token); n.XMLName.Local != "success" {
		c.t.Fatalf("auth: %v: got %q, want %q", n, n.XMLName.Local, "success")
	}
	c.open()
	if n := c.bind("test"); c.jid == "" {
		c.t.Fatalf("bind: %v, want some text", n)
	}
	return c
}

func signIn(t testing.TB, s *messenger.Service, token string) *client {
	t.Helper()
	return dial(t, s).complete(token)
}

// online signs in, fetches the roster, sends presence, and discards the answers.
func online(t testing.TB, s *messenger.Service, token string) *client {
	t.Helper()
	c := signIn(t, s, token)
	c.roster()
	c.send("<presence/>")
	c.sync()
	return c
}

// iq sends a request and returns its answer; other stanzas are held.
func (c *client) iq(kind, to, payload string) node {
	c.t.Helper()
	c.n++
	id := fmt.Sprint("q", c.n)
	if to != "" {
		to = " to='" + to + "'"
	}
	c.send("<iq type='%s' id='%s'%s>%s</iq>", kind, id, to, payload)
	for {
		n, err := c.readNew()
		if err != nil {
			c.t.Fatalf("read: got error %v, want none", err)
		}
		if n.XMLName.Local == "iq" && n.get("id") == id {
			return n
		}
		c.held = append(c.held, n)
	}
}

func (c *client) roster() map[string]node {
	c.t.Helper()
	items := map[string]node{}
	for _, k := range c.iq("get", "", "<query xmlns='jabber:iq:roster'/>").at("query").Kids {
		items[k.get("jid")] = k
	}
	return items
}

// sync returns all that the service sent before it answered a ping: what was caused by
// stanzas that others have synced before is in it, and nothing else can be.
func (c *client) sync() []node {
	c.t.Helper()
	c.iq("get", domain, "<ping xmlns='urn:xmpp:ping'/>")
	all := c.held
	c.held = nil
	return all
}

// only returns those of a kind, such as "message" or "presence subscribe".
func only(list []node, kind string) []node {
	name, typ, typed := strings.Cut(kind, " ")
	var out []node
	for _, n := range list {
		if n.XMLName.Local == name && (!typed || n.get("type") == typ) {
			out = append(out, n)
		}
	}
	return out
}

// ended reads to the end and returns the condition of the stream error, and whether the
// stream was closed with its end tag.
func (c *client) ended() (condition string, clean bool) {
	c.t.Helper()
	for {
		n, err := c.read()
		switch {
		case err == nil && n.XMLName.Local == "error" && n.XMLName.Space == "http://etherx.jabber.org/streams":
			condition = n.condition()
		case err == nil:
		case errors.Is(err, io.EOF):
			return condition, true
		default:
			if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
				c.t.Fatal("the stream did not end, want its end tag")
			}
			return condition, false
		}
	}
}

// demo is the demo's service, its bots on real time and therefore quiet in a short test.
func demo(t testing.TB) *messenger.Service { return start(t, messenger.Demo()) }
