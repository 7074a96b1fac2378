package messenger_test

import (
	"fmt"
	"strings"
	"testing"
)

// Whatever a signed-in client sends, the stream ends with a condition and no other
// client is affected.
func TestHostileStreams(t *testing.T) {
	s := start(t, world())
	ben := online(t, s, "ben")
	big := strings.Repeat("x", 300<<10)
	for _, tt := range []struct{ name, sent, want string }{
		{"not well-formed", "<message></presence>", "not-well-formed"},
		{"unknown entity", "<message><body>&boom;</body></message>", "not-well-formed"},
		{"control character", "<message><body>\x01</body></message>", "not-well-formed"},
		{"bad UTF-8", "<message><body>\xff\xfe</body></message>", "not-well-formed"},
		{"comment", "<!-- hello -->", "restricted-xml"},
		{"comment inside", "<message><!-- hello --></message>", "restricted-xml"},
		{"processing instruction", "<?php evil ?>", "restricted-xml"},
		{"DTD", "<!DOCTYPE x [<!ENTITY a 'b'>]>", "restricted-xml"},
		{"text between stanzas", "hello", "bad-format"},
		{"text before a stanza", "hello<presence/>", "bad-format"},
		{"second header", "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>", "bad-format"},
		{"unknown stream element", "<stream:what/>", "bad-format"},
		{"stream element inside", "<message><stream:what/></message>", "bad-format"},
		{"error of the client", "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>", ""},
		{"blank that is not XML's", "\u00a0<presence/>", "bad-format"},
		{"too big", "<message><body>" + big + "</body></message>", "policy-violation"},
		{"too big an attribute", "<message id='" + big + "'/>", "policy-violation"},
		{"too deep", "<message>" + strings.Repeat("<a>", 40), "policy-violation"},
		{"too many attributes", "<message " + manyAttrs(70) + "/>", "policy-violation"},
		{"another stanza", "<letter/>", "unsupported-stanza-type"},
		{"another namespace", "<message xmlns='jabber:server'/>", "unsupported-stanza-type"},
		{"another account's from", "<message from='" + at("ben") + "' type='chat' to='" + at("ben") + "'><body>x</body></message>", "invalid-from"},
		{"SASL once more", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>ben</auth>", "unsupported-stanza-type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := signIn(t, s, "ann")
			go func() { _, _ = fmt.Fprint(c.conn, tt.sent+"</stream:stream>") }()
			if cond, _ := c.ended(); cond != tt.want {
				t.Errorf("got condition %q, want %q", cond, tt.want)
			}
		})
	}
	if got := ben.sync(); len(only(got, "message")) != 0 {
		t.Errorf("ben got %v, want 0", got)
	}
}

func manyAttrs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d='' ", i)
	}
	return b.String()
}

func TestHostileHeaders(t *testing.T) {
	s := start(t, world())
	const streams = "xmlns:stream='http://etherx.jabber.org/streams'"
	for _, tt := range []struct{ name, sent, want string }{
		{"other host", "<stream:stream to='other.example' xmlns='jabber:client' " + streams + " version='1.0'>", "host-unknown"},
		{"no host", "<stream:stream xmlns='jabber:client' " + streams + " version='1.0'>", "host-unknown"},
		{"bad host", "<stream:stream to='@@' xmlns='jabber:client' " + streams + " version='1.0'>", "improper-addressing"},
		{"no version", "<stream:stream to='" + domain + "' xmlns='jabber:client' " + streams + ">", "unsupported-version"},
		{"server stream", "<stream:stream to='" + domain + "' xmlns='jabber:server' " + streams + " version='1.0'>", "invalid-namespace"},
		{"no stream", "<hello xmlns='urn:x'>", "invalid-namespace"},
		{"doctype", "<!DOCTYPE a><stream:stream to='" + domain + "'>", ""},
		{"http", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"too long", "<stream:stream a='" + strings.Repeat("x", 100<<10) + "'", ""},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, s)
			go func() {
				_, _ = fmt.Fprint(c.conn, tt.sent)
				if tt.sent == "" || tt.want == "" {
					closeWrite(c)
				}
			}()
			st, err := c.start()
			if tt.want == "" {
				if err == nil {
					t.Fatalf("answered with %v, want an error", st)
				}
				return
			}
			if err != nil || st.Name.Local != "stream" {
				t.Fatalf("no header: %v, want no error and %q", err, "stream")
			}
			if cond, clean := c.ended(); cond != tt.want || !clean {
				t.Errorf("condition %q, clean %v, want %q", cond, clean, tt.want)
			}
		})
	}
	online(t, s, "ann")
}

func closeWrite(c *client) {
	if w, ok := c.conn.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
	}
}

func TestStanzasBeforeBindAreRefused(t *testing.T) {
	s := start(t, world())
	c := dial(t, s)
	c.secure()
	c.auth("ann")
	c.open()
	c.send("<message type='chat' to='%s'><body>x</body></message>", at("ben"))
	if cond, _ := c.ended(); cond != "not-authorized" {
		t.Errorf("condition %q, want %q", cond, "not-authorized")
	}
	c = dial(t, s)
	c.secure()
	c.send("<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>")
	if cond, _ := c.ended(); cond != "not-authorized" {
		t.Errorf("condition %q, want %q", cond, "not-authorized")
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	o := world()
	o.MaxConnections = 1
	s := start(t, o)
	online(t, s, "ann")
	if _, err := dial(t, s).start(); err == nil {
		t.Error("a second connection is served, want an error")
	}
}
