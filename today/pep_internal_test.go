package today

import (
	"crypto/tls"
	"encoding/xml"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/xmppserver"
)

// certificate is made once: it takes longer than all the rest of a service.
var certificate = sync.OnceValue(func() *tls.Certificate {
	c, _, err := xmppserver.MakeCertificate("localhost", "test")
	if err != nil {
		panic(err)
	}
	return &c
})

// quiet is a service without sockets, with two contacts, and a session of the first that hands over what
// it is sent.
func quiet(t testing.TB, sent func([]byte)) *session {
	t.Helper()
	s, err := New(Options{Listen: Off, ListenHTTP: Off, Certificate: certificate(), Logger: canary.Logger(), Accounts: []Account{
		{Local: "ann", Contacts: []Contact{{Local: "ben"}}}, {Local: "ben"},
	}})
	if err != nil {
		t.Fatalf("New: got error %v, want none", err)
	}
	x := &session{s: s, acct: s.accounts["ann"]}
	x.Resource = &xmppserver.Resource{Account: x.acct.Account, Name: "a", Full: x.acct.Bare + "/a", Send: sent, Available: true, Interested: true}
	x.acct.sessions = append(x.acct.sessions, x)
	x.acct.Bind(x.Resource)
	return x
}

// request is an IQ around a payload.
func requestOf(kind, to string, payload *xmppserver.Element) *xmppserver.Element {
	iq := xmppserver.NewElement(xmppserver.NSClient, "iq", xmppserver.Node{El: payload})
	for _, a := range [...][2]string{{"type", kind}, {"id", "1"}, {"to", to}} {
		if a[1] != "" {
			iq.Attr = append(iq.Attr, xml.Attr{Name: xml.Name{Local: a[0]}, Value: a[1]})
		}
	}
	return iq
}

func TestNodesAreBoundedInBytes(t *testing.T) {
	var p pep
	config := defaultConfig()
	config.maxItems = maxNodeItems
	n := p.create("n", config)
	big := xmppserver.NewElement("urn:x", "x", xmppserver.Node{Text: strings.Repeat("x", maxNodeBytes/4)})
	for i, want := range []bool{true, true, true, false} {
		if got := p.put(n, newItem(fmt.Sprint(i), big)); got != want {
			t.Errorf("item %d: got stored %v, want %v", i, got, want)
		}
	}
	if !p.put(n, newItem("0", big)) {
		t.Error("in place of an old one: got no room, want it stored")
	}
	p.drop(n)
	if p.bytes != 0 || len(p.nodes) != 0 {
		t.Errorf("without nodes: got %d bytes, want none", p.bytes)
	}
}

func TestAnswerWithManyBytesIsCut(t *testing.T) {
	var p pep
	config := defaultConfig()
	config.maxItems = maxNodeItems
	n := p.create("n", config)
	for i := range 4 {
		p.put(n, newItem(fmt.Sprint(i), xmppserver.NewElement("urn:x", "x", xmppserver.Node{Text: strings.Repeat("x", maxItemsBytes/3)})))
	}
	list, _ := n.wanted(xmppserver.NewElement(nsPubSub, "items"))
	if len(list) != 2 || list[1].id != "3" {
		t.Errorf("got %d items, want the newest two", len(list))
	}
	named := xmppserver.NewElement(nsPubSub, "items")
	for i := range 4 {
		id := xml.Attr{Name: xml.Name{Local: "id"}, Value: fmt.Sprint(i)}
		named.Kids = append(named.Kids, xmppserver.Node{El: &xmppserver.Element{Name: xml.Name{Space: nsPubSub, Local: "item"}, Attr: []xml.Attr{id}}})
	}
	if list, _ = n.wanted(named); len(list) != 2 || list[1].id != "1" {
		t.Errorf("by name: got %d items, want the first two", len(list))
	}
}

func FuzzPublish(f *testing.F) {
	for _, s := range []string{
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'><item id='1'><a xmlns='b' c='d'>e</a></item></publish><publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field><field var='pubsub#max_items'><value>max</value></field></x></publish-options></pubsub>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:avatar:metadata'><item><metadata xmlns='urn:xmpp:avatar:metadata'><info id='x' type='image/png'/></metadata></item></publish></pubsub>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n' max_items='1'/></pubsub>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><retract node='n'><item id='1'/></retract></pubsub>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'/></pubsub>",
		"<vCard xmlns='vcard-temp'><PHOTO><BINVAL>AAAA</BINVAL></PHOTO></vCard>",
		"<block xmlns='urn:xmpp:blocking'><item jid='ben@perch.localhost'/></block>",
		"<prefs xmlns='urn:xmpp:mam:2' default='roster'><always><jid>a@b</jid></always></prefs>",
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, raw []byte, set bool) {
		payload := element(raw)
		if payload == nil {
			return
		}
		answers := 0
		x := quiet(t, func(b []byte) {
			if err := wellFormed(b); err != nil {
				t.Errorf("got %v, want a stanza", err)
			}
			if strings.HasPrefix(string(b), "<iq type='result'") || strings.HasPrefix(string(b), "<iq type='error'") {
				answers++
			}
		})
		x.caps.wants = wishes{"n": true}
		kind := map[bool]string{true: "set", false: "get"}[set]
		for _, to := range []string{"", x.acct.Bare, "ben@perch.localhost"} {
			x.s.iq(x, requestOf(kind, to, payload))
		}
		if answers != 3 {
			t.Errorf("got %d answers to 3 requests, want one each", answers)
		}
	})
}

func FuzzCaps(f *testing.F) {
	f.Add([]byte("<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='pc' name='T'/><feature var='n+notify'/><x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>urn:x</value></field><field var='os'><value>b</value><value>a</value></field></x></query>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		info := element(raw)
		if info == nil {
			return
		}
		x := quiet(t, func([]byte) {})
		x.caps.asked, x.caps.ver = "1", "never a hash"
		x.s.answered(x, requestOf("result", "", info))
		if len(x.caps.wants) > maxWants || len(x.s.capsTable) != 0 {
			t.Errorf("got %d nodes and %d answers remembered, want at most %d and none", len(x.caps.wants), len(x.s.capsTable), maxWants)
		}
	})
}

// TestCapsHash is the second example of XEP-0115, 5.3.
func TestCapsHash(t *testing.T) {
	const raw = "<query xmlns='http://jabber.org/protocol/disco#info' node='http://psi-im.org#q07IKJEyjvHSyhy//CH0CxmKi8w='>" +
		"<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/><identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>" +
		"<feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/><feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>" +
		"<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>" +
		"<field var='ip_version' type='text-multi'><value>ipv4</value><value>ipv6</value></field><field var='os'><value>Mac</value></field><field var='os_version'><value>10.5.1</value></field>" +
		"<field var='software'><value>Psi</value></field><field var='software_version'><value>0.11</value></field></x></query>"
	if got, ok := capsHash(element([]byte(raw))); got != "q07IKJEyjvHSyhy//CH0CxmKi8w=" || !ok {
		t.Errorf("got %q, %v, want the hash of the example", got, ok)
	}
	for name, raw := range map[string]string{
		"a separator":     "<query><feature var='a&lt;b'/></query>",
		"a feature twice": "<query><feature var='a'/><feature var='a'/></query>",
	} {
		if got, ok := capsHash(element([]byte(raw))); ok {
			t.Errorf("%s: got %q, want none", name, got)
		}
	}
}
