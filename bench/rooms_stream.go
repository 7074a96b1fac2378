package main

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// roomStream is one client of a roomServer.
type roomStream struct {
	server  *roomServer
	conn    net.Conn
	account string
	jid     string // full
	dec     *xml.Decoder

	mu      sync.Mutex // of all that follows
	came    *sync.Cond // something is to be written, or was acknowledged
	out     []byte     // to be written
	managed bool       // stream management is on (XEP-0198): stanzas are counted
	sent    uint32     // stanzas since then
	acked   uint32     // of them
	answers int        // that said so
	bytes   int64      // of all stanzas that were sent
	over    bool
}

// node is an element that a client has sent.
type node struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Nodes   []node     `xml:",any"`
	Text    string     `xml:",chardata"`
}

func (n *node) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// child is the first child with a namespace, or nil.
func (n *node) child(space string) *node {
	for i := range n.Nodes {
		if n.Nodes[i].XMLName.Space == space {
			return &n.Nodes[i]
		}
	}
	return nil
}

const (
	nsStartTLS = "urn:ietf:params:xml:ns:xmpp-tls"
	nsSASL     = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsBind     = "urn:ietf:params:xml:ns:xmpp-bind"
	nsManaged  = "urn:xmpp:sm:3"
)

// serve is the whole life of a stream.
func (x *roomStream) serve() error {
	if err := x.begin("<starttls xmlns='" + nsStartTLS + "'><required/></starttls>"); err != nil {
		return err
	}
	if _, err := x.expect("starttls"); err != nil {
		return err
	}
	if err := x.write("<proceed xmlns='" + nsStartTLS + "'/>"); err != nil {
		return err
	}
	x.conn = tls.Server(x.conn, x.server.tls)
	if err := x.begin("<mechanisms xmlns='" + nsSASL + "'><mechanism>" + roomTokens + "</mechanism></mechanisms>"); err != nil {
		return err
	}
	auth, err := x.expect("auth")
	if err != nil {
		return err
	}
	x.account = strings.TrimSpace(auth.Text)
	x.jid = x.account + "@" + roomsDomain + "/perch"
	if err := x.write("<success xmlns='" + nsSASL + "'/>"); err != nil {
		return err
	}
	if err := x.begin("<bind xmlns='" + nsBind + "'/><sm xmlns='" + nsManaged + "'/>"); err != nil {
		return err
	}
	return x.talk()
}

// begin reads a stream header, and answers it with features.
func (x *roomStream) begin(features string) error {
	x.dec = xml.NewDecoder(x.conn)
	for {
		tok, err := x.dec.Token()
		if err != nil {
			return err
		}
		if start, ok := tok.(xml.StartElement); ok {
			if start.Name.Local != "stream" {
				return fmt.Errorf("got <%s/>, want a stream", start.Name.Local)
			}
			return x.write("<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='s' version='1.0' from='" +
				roomsDomain + "'><stream:features>" + features + "</stream:features>")
		}
	}
}

func (x *roomStream) write(text string) error {
	_, err := io.WriteString(x.conn, text)
	return err
}

// element reads the next element.
func (x *roomStream) element() (*node, error) {
	for {
		tok, err := x.dec.Token()
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			n := &node{}
			return n, x.dec.DecodeElement(n, &tok)
		case xml.EndElement:
			return nil, io.EOF // of the stream
		}
	}
}

func (x *roomStream) expect(name string) (*node, error) {
	n, err := x.element()
	if err == nil && n.XMLName.Local != name {
		err = fmt.Errorf("got <%s/>, want <%s/>", n.XMLName.Local, name)
	}
	return n, err
}

// talk answers what comes, and writes what is sent, until the connection ends.
func (x *roomStream) talk() (err error) {
	x.server.mu.Lock()
	x.server.streams[x.account] = x
	x.server.mu.Unlock()
	x.server.open.Go(x.writeAll)
	defer x.end()
	counted := uint64(0)
	for {
		n, err := x.element()
		if err != nil {
			return err
		}
		switch n.XMLName.Local {
		case "iq", "presence", "message":
			counted++
			x.stanza(n)
		case "enable":
			x.enable()
			counted = 0
		case "r":
			x.put("<a xmlns='" + nsManaged + "' h='" + strconv.FormatUint(counted, 10) + "'/>")
		case "a":
			x.acknowledged(n.attr("h"))
		}
	}
}

func (x *roomStream) end() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.over = true
	x.came.Broadcast()
}

// writeAll writes what is sent, as much at once as there is.
func (x *roomStream) writeAll() {
	var b []byte
	for {
		x.mu.Lock()
		for len(x.out) == 0 && !x.over {
			x.came.Wait()
		}
		b, x.out = x.out, b[:0]
		over := x.over
		x.mu.Unlock()
		if over {
			return
		}
		if _, err := x.conn.Write(b); err != nil {
			return // the reader sees it too
		}
		if cap(b) > 1<<20 {
			b = nil
		}
	}
}

// send sends a stanza of several pieces.
func (x *roomStream) send(pieces ...string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, p := range pieces {
		x.out = append(x.out, p...)
		x.bytes += int64(len(p))
	}
	if x.managed {
		x.sent++
	}
	x.came.Broadcast()
}

// put sends what is no stanza.
func (x *roomStream) put(text string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.out = append(x.out, text...)
	x.came.Broadcast()
}

func (x *roomStream) enable() {
	x.put("<enabled xmlns='" + nsManaged + "' id='" + x.account + "' resume='true' max='300'/>")
	x.mu.Lock()
	defer x.mu.Unlock()
	x.managed, x.sent, x.acked = true, 0, 0
}

func (x *roomStream) acknowledged(h string) {
	n, err := strconv.ParseUint(h, 10, 32)
	if err != nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.acked = max(x.acked, uint32(n))
	x.answers++
	x.came.Broadcast()
}

var errStreamOver = errors.New("the stream is over")

// settled waits until the client has handled all that was sent: it is asked, and asked again as long as
// something is not committed.
func (x *roomStream) settled(ctx context.Context) error {
	for {
		done, err := x.ask()
		if done || err != nil {
			return err
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// ask asks once what the client has handled, and reports whether that is all.
func (x *roomStream) ask() (all bool, err error) {
	x.mu.Lock()
	before := x.answers
	x.mu.Unlock()
	x.put("<r xmlns='" + nsManaged + "'/>")
	x.mu.Lock()
	defer x.mu.Unlock()
	for x.answers == before && !x.over {
		x.came.Wait()
	}
	if x.over {
		return false, fmt.Errorf("%s: %w", x.account, errStreamOver)
	}
	return x.acked == x.sent, nil
}

// received is how many bytes of stanzas were sent to the client.
func (x *roomStream) received() int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.bytes
}
