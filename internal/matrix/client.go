package main

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"iter"
	"net"
	"strings"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// client is as much of an XMPP client as it takes to ask a server what it offers. It shares no code with
// what is tested.
type client struct {
	conn     net.Conn
	in       *xml.Decoder
	features element // of the stream, once it is encrypted
	ids      int
}

// element is a whole element of a stream.
type element struct {
	Name     xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
	Text     string     `xml:",chardata"`
}

// UnmarshalXML keeps the name, which the decoder does not do by itself for nested elements.
func (e *element) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	type plain element
	e.Name = start.Name
	p := plain{}
	err := d.DecodeElement(&p, &start)
	e.Attrs, e.Children, e.Text = start.Attr, p.Children, strings.TrimSpace(p.Text)
	return err
}

func (e element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// all are the elements of a name, however deep.
func (e element) all(name string) iter.Seq[element] {
	return func(yield func(element) bool) { e.walk(name, yield) }
}

func (e element) walk(name string, yield func(element) bool) bool {
	for _, child := range e.Children {
		if child.Name.Local == name && !yield(child) || !child.walk(name, yield) {
			return false
		}
	}
	return true
}

// dial opens an encrypted stream to a domain.
func dial(s *testkit.Server, domain string) (*client, error) {
	conn, err := net.DialTimeout("tcp", s.Addr, 10*time.Second)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn}
	if err := c.encrypt(s, domain); err != nil {
		c.close()
		return nil, fmt.Errorf("%s: %w", domain, err)
	}
	return c, nil
}

func (c *client) encrypt(s *testkit.Server, domain string) error {
	if err := c.conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	if _, err := c.open(domain); err != nil {
		return err
	}
	if err := c.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"); err != nil {
		return err
	}
	if answer, err := c.next(); err != nil || answer.Name.Local != "proceed" {
		return fmt.Errorf("TLS: got %s, error %w", answer.Name.Local, err)
	}
	c.conn = tls.Client(c.conn, &tls.Config{ServerName: domain, RootCAs: s.CA})
	features, err := c.open(domain)
	c.features = features
	return err
}

func (c *client) close() { _ = c.conn.Close() }

// open begins a stream and reads its features.
func (c *client) open(domain string) (element, error) {
	from := ""
	if _, encrypted := c.conn.(*tls.Conn); encrypted {
		from = " from='asks@" + domain + "'" // without it Prosody offers no FAST; nobody else shall read it
	}
	if err := c.write("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='" + domain + "'" + from + ">"); err != nil {
		return element{}, err
	}
	c.in = xml.NewDecoder(c.conn)
	for {
		token, err := c.in.Token()
		if err != nil {
			return element{}, err
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "stream" {
			return c.next()
		}
	}
}

func (c *client) write(text string) error {
	_, err := c.conn.Write([]byte(text))
	return err
}

// next is the next element of the stream.
func (c *client) next() (e element, err error) { return e, c.in.Decode(&e) }

// signIn passes SASL by PLAIN and binds; the features are those of the stream after SASL.
func (c *client) signIn(u testkit.User, domain string) (features element, err error) {
	local, _, _ := strings.Cut(u.JID, "@")
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + local + "\x00" + u.Password))
	if err := c.write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + plain + "</auth>"); err != nil {
		return features, err
	}
	if answer, err := c.next(); err != nil || answer.Name.Local != "success" {
		return features, fmt.Errorf("SASL: got %s, error %w", answer.Name.Local, err)
	}
	if features, err = c.open(domain); err != nil {
		return features, err
	}
	_, err = c.iq("set", "", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>")
	return features, err
}

// join enters a room, which is made by that.
func (c *client) join(room string) error {
	if err := c.write("<presence to='" + room + "/asks'><x xmlns='http://jabber.org/protocol/muc'/></presence>"); err != nil {
		return err
	}
	for {
		e, err := c.next()
		if err != nil {
			return fmt.Errorf("join: %w", err)
		}
		for status := range e.all("status") {
			if e.Name.Local == "presence" && status.attr("code") == "110" {
				_, err := c.iq("set", room, "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query>")
				return err
			}
		}
	}
}

func (c *client) query(to, payload string) (element, error) { return c.iq("get", to, payload) }

// iq asks and waits for the answer, past everything else.
func (c *client) iq(typ, to, payload string) (element, error) {
	c.ids++
	id := fmt.Sprint("q", c.ids)
	if to != "" {
		to = " to='" + to + "'"
	}
	if err := c.write("<iq id='" + id + "' type='" + typ + "'" + to + ">" + payload + "</iq>"); err != nil {
		return element{}, err
	}
	for {
		e, err := c.next()
		switch {
		case err != nil:
			return element{}, err
		case e.Name.Local != "iq" || e.attr("id") != id:
		case e.attr("type") == "result":
			return e, nil
		default:
			return e, fmt.Errorf("the answer is an error: %v", e.Children)
		}
	}
}
