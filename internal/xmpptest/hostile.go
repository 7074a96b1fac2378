package xmpptest

import (
	"fmt"
	"strings"
)

// Hostile is what a client must not send, and the condition with which a service ends the stream.
type Hostile struct{ Name, Sent, Want string }

// HostileStanzas are sent by a client that is bound; other is another account's bare JID. A condition
// of "" is a stream that ends without an error.
func HostileStanzas(other string) []Hostile {
	big := strings.Repeat("x", 300<<10)
	return []Hostile{
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
		{"another account's from", "<message from='" + other + "' type='chat' to='" + other + "'><body>x</body></message>", "invalid-from"},
		{"SASL once more", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>ben</auth>", "unsupported-stanza-type"},
	}
}

func manyAttrs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d='' ", i)
	}
	return b.String()
}

// HostileHeaders are sent in place of a stream header. A condition of "" is no answer at all, once the
// client has closed its side.
func HostileHeaders(domain string) []Hostile {
	const streams = "xmlns:stream='http://etherx.jabber.org/streams'"
	return []Hostile{
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
	}
}
