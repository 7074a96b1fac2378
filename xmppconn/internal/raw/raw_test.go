package raw_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/raw"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const self = perch.JID("me@a.test/home")

// pubsub is a request of XEP-0060 about a node.
func pubsub(space, verb, node string) string {
	return "<iq type='set'><pubsub xmlns='" + space + "'><" + verb + " node='" + node + "'><item id='1'/></" + verb + "></pubsub></iq>"
}

// refusals are the stanzas that the gateway keeps for itself, and what is none.
var refusals = map[string]struct {
	xml  string
	want perch.Kind
}{
	"nothing":                    {"", perch.KindValidation},
	"text":                       {"hello", perch.KindValidation},
	"two":                        {"<message to='b@b.test'/><message to='b@b.test'/>", perch.KindValidation},
	"text beside it":             {"x<message to='b@b.test'/>", perch.KindValidation},
	"not closed":                 {"<message to='b@b.test'>", perch.KindValidation},
	"the end of a stream":        {"</stream:stream>", perch.KindValidation},
	"out of what is around":      {"</s><s xmlns='jabber:client'><message to='b@b.test'/>", perch.KindValidation},
	"an undeclared prefix":       {"<stream:message to='b@b.test'/>", perch.KindValidation},
	"a comment":                  {"<message to='b@b.test'><!-- x --></message>", perch.KindValidation},
	"an instruction":             {"<?x y?><message to='b@b.test'/>", perch.KindValidation},
	"a declaration":              {"<!DOCTYPE x [<!ENTITY y 'z'>]><message to='b@b.test'>&y;</message>", perch.KindValidation},
	"an unknown entity":          {"<message to='b@b.test'>&y;</message>", perch.KindValidation},
	"what XML forbids":           {"<message to='b@b.test'>&#0;</message>", perch.KindValidation},
	"too deep":                   {"<message to='b@b.test'>" + strings.Repeat("<x xmlns='y'>", 40) + strings.Repeat("</x>", 40) + "</message>", perch.KindValidation},
	"too long":                   {"<message to='b@b.test'><body>" + strings.Repeat("x", raw.MaxBytes) + "</body></message>", perch.KindValidation},
	"from":                       {"<message to='b@b.test' from='eve@a.test'/>", perch.KindValidation},
	"the own from":               {"<message to='b@b.test' from='me@a.test/home'/>", perch.KindValidation},
	"an unknown attribute":       {"<message to='b@b.test' x='y'/>", perch.KindValidation},
	"an attribute with a prefix": {"<message xmlns:p='urn:p' p:to='c@b.test' to='b@b.test'/>", perch.KindValidation},
	"to no address":              {"<message to='@'/>", perch.KindValidation},
	"to nobody":                  {"<message><body>x</body></message>", perch.KindValidation},
	"an iq without a payload":    {"<iq type='get' to='b@b.test'/>", perch.KindValidation},
	"an iq with two":             {"<iq type='get'><a xmlns='urn:a'/><b xmlns='urn:b'/></iq>", perch.KindValidation},
	"an iq with text":            {"<iq type='get'>x<a xmlns='urn:a'/></iq>", perch.KindValidation},
	"an iq of no namespace":      {"<iq type='get'><a xmlns=''/></iq>", perch.KindValidation},
	"an iq of the stream's":      {"<iq type='get'><a/></iq>", perch.KindValidation},

	"an iq of another type":    {"<iq type='reset' id='1'><a xmlns='urn:a'/></iq>", perch.KindForbidden},
	"a result of nothing":      {"<iq type='result'/>", perch.KindValidation},
	"a result with text":       {"<iq type='result' id='1'>x</iq>", perch.KindValidation},
	"a result with two":        {"<iq type='result' id='1'><a xmlns='urn:a'/><b xmlns='urn:b'/></iq>", perch.KindValidation},
	"a result of no namespace": {"<iq type='result' id='1'><a xmlns=''/></iq>", perch.KindValidation},
	"a result of the stream's": {"<iq type='result' id='1'><a/></iq>", perch.KindValidation},
	"a result with an error":   {"<iq type='result' id='1'><error type='cancel'/></iq>", perch.KindValidation},
	"an error without one":     {"<iq type='error' id='1'/>", perch.KindValidation},
	"an error with two":        {"<iq type='error' id='1'><error/><error/></iq>", perch.KindValidation},

	"another namespace":    {"<message xmlns='jabber:server' to='b@b.test'/>", perch.KindForbidden},
	"a stream error":       {"<error xmlns='http://etherx.jabber.org/streams'/>", perch.KindForbidden},
	"a stream":             {"<stream xmlns='http://etherx.jabber.org/streams'/>", perch.KindForbidden},
	"STARTTLS":             {"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", perch.KindForbidden},
	"SASL":                 {"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>", perch.KindForbidden},
	"SASL2":                {"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>", perch.KindForbidden},
	"SM acknowledgement":   {"<a xmlns='urn:xmpp:sm:3' h='9'/>", perch.KindForbidden},
	"SM question":          {"<r xmlns='urn:xmpp:sm:3'/>", perch.KindForbidden},
	"SM enable":            {"<enable xmlns='urn:xmpp:sm:3'/>", perch.KindForbidden},
	"SM resume":            {"<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>", perch.KindForbidden},
	"client state":         {"<inactive xmlns='urn:xmpp:csi:0'/>", perch.KindForbidden},
	"a result with a bind": {"<iq type='result' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", perch.KindForbidden},
	"an error with a bind": {"<iq type='error' id='1'><error type='cancel'/><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", perch.KindForbidden},
	"an iq without a type": {"<iq><a xmlns='urn:a'/></iq>", perch.KindForbidden},

	"bind":                 {"<iq type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", perch.KindForbidden},
	"unbind":               {"<iq type='set'><unbind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", perch.KindForbidden},
	"session":              {"<iq type='set'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>", perch.KindForbidden},
	"SM in an iq":          {"<iq type='set'><enable xmlns='urn:xmpp:sm:2'/></iq>", perch.KindForbidden},
	"carbons on":           {"<iq type='set'><enable xmlns='urn:xmpp:carbons:2'/></iq>", perch.KindForbidden},
	"carbons off":          {"<iq type='set'><disable xmlns='urn:xmpp:carbons:2'/></iq>", perch.KindForbidden},
	"carbons, prefixed":    {"<iq type='set' xmlns:c='urn:xmpp:carbons:2'><c:disable/></iq>", perch.KindForbidden},
	"the old login":        {"<iq type='set'><query xmlns='jabber:iq:auth'/></iq>", perch.KindForbidden},
	"roster set":           {"<iq type='set'><query xmlns='jabber:iq:roster'><item jid='b@b.test'/></query></iq>", perch.KindForbidden},
	"roster set, to":       {"<iq type='set' to='me@a.test'><query xmlns='jabber:iq:roster'/></iq>", perch.KindForbidden},
	"remove the account":   {"<iq type='set' to='a.test'><query xmlns='jabber:iq:register'><remove/></query></iq>", perch.KindForbidden},
	"the password":         {"<iq type='set'><query xmlns='jabber:iq:register'><username>me</username><password>x</password></query></iq>", perch.KindForbidden},
	"an archive":           {"<iq type='set'><query xmlns='urn:xmpp:mam:2'/></iq>", perch.KindForbidden},
	"an archive of a room": {"<iq type='set' to='talk@muc.test'><query xmlns='urn:xmpp:mam:1'/></iq>", perch.KindForbidden},
	"bookmarks":            {pubsub("http://jabber.org/protocol/pubsub", "publish", "urn:xmpp:bookmarks:1"), perch.KindForbidden},
	"bookmarks, older":     {pubsub("http://jabber.org/protocol/pubsub", "publish", "storage:bookmarks"), perch.KindForbidden},
	"bookmarks, removed":   {pubsub("http://jabber.org/protocol/pubsub", "retract", "urn:xmpp:bookmarks:1"), perch.KindForbidden},
	"bookmarks, the node":  {pubsub("http://jabber.org/protocol/pubsub#owner", "delete", "urn:xmpp:bookmarks:1"), perch.KindForbidden},
	"bookmarks, oldest":    {"<iq type='set'><query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query></iq>", perch.KindForbidden},
	"read positions":       {pubsub("http://jabber.org/protocol/pubsub", "publish", "urn:xmpp:mds:displayed:0"), perch.KindForbidden},

	"bookmarks, oldest, by another name": {"<iq type='set'><query xmlns='jabber:iq:private'><other xmlns='x'/><x xmlns='storage:bookmarks'/></query></iq>", perch.KindForbidden},
	"bookmarks, access":                  {pubsub("http://jabber.org/protocol/pubsub#owner", "configure", "urn:xmpp:bookmarks:1"), perch.KindForbidden},
	"bookmarks, purged":                  {pubsub("http://jabber.org/protocol/pubsub#owner", "purge", "storage:bookmarks"), perch.KindForbidden},
	"bookmarks, made":                    {pubsub("http://jabber.org/protocol/pubsub", "create", "urn:xmpp:bookmarks:1"), perch.KindForbidden},
	"bookmarks, readers":                 {pubsub("http://jabber.org/protocol/pubsub#owner", "affiliations", "urn:xmpp:bookmarks:1"), perch.KindForbidden},
	"bookmarks, beside":                  {"<iq type='set'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='x'/><retract node='urn:xmpp:bookmarks:1'/></pubsub></iq>", perch.KindForbidden},
	"bookmarks, to":                      {strings.Replace(pubsub("http://jabber.org/protocol/pubsub", "publish", "urn:xmpp:bookmarks:1"), "<iq", "<iq to='ME@a.test'", 1), perch.KindForbidden},
	"read positions, retract":            {pubsub("http://jabber.org/protocol/pubsub", "retract", "urn:xmpp:mds:displayed:0"), perch.KindForbidden},
	"read positions, access":             {pubsub("http://jabber.org/protocol/pubsub#owner", "configure", "urn:xmpp:mds:displayed:0"), perch.KindForbidden},
	"read positions, deleted":            {pubsub("http://jabber.org/protocol/pubsub#owner", "delete", "urn:xmpp:mds:displayed:0"), perch.KindForbidden},
	"read positions, purged":             {pubsub("http://jabber.org/protocol/pubsub#owner", "purge", "urn:xmpp:mds:displayed:0"), perch.KindForbidden},
	"read positions, by word":            {"<message to='b@b.test'><displayed xmlns='urn:xmpp:mds:displayed:0'/></message>", perch.KindForbidden},
	"an avatar":                          {pubsub("http://jabber.org/protocol/pubsub", "publish", "urn:xmpp:avatar:metadata"), perch.KindForbidden},
	"an avatar's bytes":                  {pubsub("http://jabber.org/protocol/pubsub", "publish", "urn:xmpp:avatar:data"), perch.KindForbidden},
	"an avatar, removed":                 {pubsub("http://jabber.org/protocol/pubsub", "retract", "urn:xmpp:avatar:metadata"), perch.KindForbidden},
	"an avatar, the node":                {pubsub("http://jabber.org/protocol/pubsub#owner", "delete", "urn:xmpp:avatar:data"), perch.KindForbidden},
	"the own card":                       {"<iq type='set'><vCard xmlns='vcard-temp'/></iq>", perch.KindForbidden},
	"the own card, to":                   {"<iq type='set' to='me@a.test'><vCard xmlns='vcard-temp'/></iq>", perch.KindForbidden},
	"block":                              {"<iq type='set'><block xmlns='urn:xmpp:blocking'><item jid='b@b.test'/></block></iq>", perch.KindForbidden},
	"unblock":                            {"<iq type='set' to='a.test'><unblock xmlns='urn:xmpp:blocking'/></iq>", perch.KindForbidden},
	"a privacy list":                     {"<iq type='set'><query xmlns='jabber:iq:privacy'><active name='x'/></query></iq>", perch.KindForbidden},
	"invisible":                          {"<iq type='set'><invisible xmlns='urn:xmpp:invisible:1'/></iq>", perch.KindForbidden},
	"visible":                            {"<iq type='set'><visible xmlns='urn:xmpp:invisible:0'/></iq>", perch.KindForbidden},
	"an archive, by get":                 {"<iq type='get'><query xmlns='urn:xmpp:mam:tmp'/></iq>", perch.KindForbidden},
	"what waits":                         {"<iq type='get'><offline xmlns='http://jabber.org/protocol/offline'><fetch/></offline></iq>", perch.KindForbidden},
	"what waits, removed":                {"<iq type='set'><offline xmlns='http://jabber.org/protocol/offline'><purge/></offline></iq>", perch.KindForbidden},
	"other addressees":                   {"<message to='multicast.a.test'><addresses xmlns='http://jabber.org/protocol/address'><address type='to' jid='b@b.test'/></addresses></message>", perch.KindForbidden},
	"a join by addressees":               {"<presence to='multicast.a.test'><addresses xmlns='http://jabber.org/protocol/address'><address type='to' jid='talk@muc.test/Al'/></addresses></presence>", perch.KindForbidden},
	"a forged notification":              {"<message to='me@a.test' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'/></message>", perch.KindForbidden},

	"own presence":            {"<presence/>", perch.KindForbidden},
	"own presence, away":      {"<presence><show>away</show></presence>", perch.KindForbidden},
	"signing out":             {"<presence type='unavailable'/>", perch.KindForbidden},
	"presence to the account": {"<presence to='ME@a.test'/>", perch.KindForbidden},
	"presence to the server":  {"<presence to='a.test' type='unavailable'/>", perch.KindForbidden},
	"subscribe":               {"<presence to='b@b.test' type='subscribe'/>", perch.KindForbidden},
	"subscribed":              {"<presence to='b@b.test' type='subscribed'/>", perch.KindForbidden},
	"unsubscribe":             {"<presence to='b@b.test' type='unsubscribe'/>", perch.KindForbidden},
	"unsubscribed":            {"<presence to='b@b.test' type='unsubscribed'/>", perch.KindForbidden},
	"a probe":                 {"<presence to='b@b.test' type='probe'/>", perch.KindForbidden},
	"a presence error":        {"<presence to='b@b.test' type='error'/>", perch.KindForbidden},
	"a join":                  {"<presence to='talk@muc.test/Al'><x xmlns='http://jabber.org/protocol/muc'/></presence>", perch.KindForbidden},
	"a bounce":                {"<message to='b@b.test' type='error'/>", perch.KindForbidden},
	"an error in a message":   {"<message to='b@b.test'><error type='cancel'/></message>", perch.KindForbidden},
	"a forged carbon":         {"<message to='me@a.test'><received xmlns='urn:xmpp:carbons:2'/></message>", perch.KindForbidden},
	"a forged archive":        {"<message to='me@a.test'><result xmlns='urn:xmpp:mam:2' id='1'/></message>", perch.KindForbidden},
}

// TestRefusals: nothing that the gateway works by can be sent, however it is written.
func TestRefusals(t *testing.T) {
	for name, tt := range refusals {
		if _, err := raw.Parse(tt.xml, self); err == nil || perch.KindOf(err) != tt.want {
			t.Errorf("%s: got error %v, want %s", name, err, tt.want)
		}
	}
}

// TestSent: the rest is written anew, in the namespace of a stream, and reads as the same.
func TestSent(t *testing.T) {
	for name, tt := range map[string]struct{ xml, want string }{
		"a message": {"<message to='B@b.test' id='1' xml:lang='de'><body>a &amp; &#98;</body></message>", `<message id="1" xml:lang="de" to="b@b.test"><body>a &amp; b</body></message>`},
		"with a namespace": {" <message xmlns='jabber:client' to='b@b.test' type='chat'><x xmlns='urn:x'><![CDATA[<y>]]></x></message>\n",
			`<message type="chat" to="b@b.test"><x xmlns="urn:x">&lt;y&gt;</x></message>`},
		"a prefix": {"<c:message xmlns:c='jabber:client' xmlns:j='urn:xmpp:jingle-message:0' to='b@b.test'><j:propose id='1'/></c:message>",
			`<message to="b@b.test"><propose xmlns="urn:xmpp:jingle-message:0" id="1"></propose></message>`},
		"not copied":               {"<message to='b@b.test'><private xmlns='urn:xmpp:carbons:2'/></message>", `<message to="b@b.test"><private xmlns="urn:xmpp:carbons:2"></private></message>`},
		"directed presence":        {"<presence to='b@b.test'><show>dnd</show></presence>", `<presence to="b@b.test"><show>dnd</show></presence>`},
		"directed, away":           {"<presence to='b@b.test/x' type='unavailable'/>", `<presence type="unavailable" to="b@b.test/x"></presence>`},
		"a headline":               {"<message to='b@b.test' type='headline'/>", `<message type="headline" to="b@b.test"></message>`},
		"a payload of an iq":       {"<iq type='get' to='b@b.test/x' id='7'><query xmlns='jabber:iq:last'/></iq>", `<query xmlns="jabber:iq:last"></query>`},
		"the roster":               {"<iq type='get'><query xmlns='jabber:iq:roster'/></iq>", `<query xmlns="jabber:iq:roster"></query>`},
		"OMEMO devices":            {pubsub("http://jabber.org/protocol/pubsub", "publish", "urn:xmpp:omemo:2:devices"), `<pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="urn:xmpp:omemo:2:devices"><item id="1"></item></publish></pubsub>`},
		"bookmarks are read":       {"<iq type='get'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:bookmarks:1'/></pubsub></iq>", `<pubsub xmlns="http://jabber.org/protocol/pubsub"><items node="urn:xmpp:bookmarks:1"></items></pubsub>`},
		"a node of others":         {strings.Replace(pubsub("http://jabber.org/protocol/pubsub", "publish", "storage:bookmarks"), "<iq", "<iq to='pubsub.b.test'", 1), `<pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="storage:bookmarks"><item id="1"></item></publish></pubsub>`},
		"the form of an archive":   {"<iq type='get'><query xmlns='urn:xmpp:mam:2'/></iq>", `<query xmlns="urn:xmpp:mam:2"></query>`},
		"a card of version 4":      {pubsub("http://jabber.org/protocol/pubsub", "publish", "urn:xmpp:vcard4"), `<pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="urn:xmpp:vcard4"><item id="1"></item></publish></pubsub>`},
		"a nickname":               {pubsub("http://jabber.org/protocol/pubsub", "publish", "http://jabber.org/protocol/nick"), `<pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="http://jabber.org/protocol/nick"><item id="1"></item></publish></pubsub>`},
		"the block list":           {"<iq type='get'><blocklist xmlns='urn:xmpp:blocking'/></iq>", `<blocklist xmlns="urn:xmpp:blocking"></blocklist>`},
		"a picture of a room":      {"<iq type='set' to='talk@muc.test'><vCard xmlns='vcard-temp'/></iq>", `<vCard xmlns="vcard-temp"></vCard>`},
		"archive preferences":      {"<iq type='set'><prefs xmlns='urn:xmpp:mam:2' default='always'/></iq>", `<prefs xmlns="urn:xmpp:mam:2" default="always"></prefs>`},
		"a result":                 {"<iq type='result' id='1' to='b@b.test/x'/>", ""},
		"a result that says more":  {"<iq type='result' id='1' to='b@b.test/x'><x xmlns='urn:x'/></iq>", `<x xmlns="urn:x"></x>`},
		"an error":                 {"<iq type='error' id='1'><x xmlns='urn:x'/><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>", `<x xmlns="urn:x"></x><error type="cancel"><gone xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"></gone></error>`},
		"a registration elsewhere": {"<iq type='set' to='gateway.b.test'><query xmlns='jabber:iq:register'/></iq>", `<query xmlns="jabber:iq:register"></query>`},
	} {
		s, err := raw.Parse(tt.xml, self)
		if err != nil {
			t.Errorf("%s: got error %v, want none", name, err)
			continue
		}
		var got []byte
		if s.Name == "iq" {
			got, err = s.Payload()
		} else {
			got, err = s.Append([]byte("<before/>"))
			got = []byte(strings.TrimPrefix(string(got), "<before/>"))
		}
		if want := streamtest.Parse(t, "<s xmlns='jabber:client'>"+tt.want+"</s>"); err != nil || !same(t, string(got), want) {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, tt.want)
		}
	}
}

// same reports whether stanzas read as what is in an element, whatever the order of attributes.
func same(t *testing.T, got string, want *xmlstream.Element) bool {
	t.Helper()
	return canonical(streamtest.Parse(t, "<s xmlns='jabber:client'>"+got+"</s>")) == canonical(want)
}

func canonical(el *xmlstream.Element) string {
	s := "{" + el.Space() + "}" + el.Local() + " " + strings.Join([]string{el.Attr("to"), el.Attr("type"), el.Attr("id"), el.Attr("node"), el.Attr("default")}, "|") + "(" + el.Text()
	for _, c := range el.Children() {
		s += canonical(c)
	}
	return s + ")"
}

// TestAnswer: a client gets the answer with the id that it has written.
func TestAnswer(t *testing.T) {
	s, err := raw.Parse("<iq type='get' id='q&apos;1' to='b@b.test'><x xmlns='urn:x'/></iq>", self)
	if err != nil {
		t.Fatalf("Parse(): got error %v, want none", err)
	}
	payload := streamtest.Parse(t, "<x xmlns='urn:x'>y</x>")
	got, err := s.Answer(stanza.IQ{ID: "ours", Type: "result", From: "b@b.test", To: self, Payload: payload})
	el := streamtest.Parse(t, got)
	if err != nil || !el.Is(xmlstream.NSClient, "iq") || el.Attr("id") != "q'1" || el.Attr("type") != "result" || el.Attr("from") != "b@b.test" || el.ChildText("urn:x", "x") != "y" {
		t.Errorf("Answer() = %s, %v; want the payload with the id of the client", got, err)
	}
	if got, err = s.Answer(stanza.IQ{ID: "ours", Type: "result"}); err != nil || len(streamtest.Parse(t, got).Children()) != 0 {
		t.Errorf("Answer() of an empty result = %s, %v; want an empty iq", got, err)
	}
}

// TestWrittenIsBounded: a namespace that is declared once, and used by thousands of elements, does not make a
// hundred megabytes of 64 KiB, neither of what a client sends nor of what it is answered.
func TestWrittenIsBounded(t *testing.T) {
	many := "xmlns:p='" + strings.Repeat("n", 30<<10) + "'><p:x>" + strings.Repeat("<y xmlns='urn:y'><p:z/></y>", 1000) + "</p:x>"
	s, err := raw.Parse("<message to='b@b.test' "+many+"</message>", self)
	if err != nil {
		t.Fatalf("Parse() of a message: got error %v, want none", err)
	}
	if b, err := s.Append(nil); perch.KindOf(err) != perch.KindValidation || len(b) != 0 {
		t.Errorf("Append() = %d bytes, %v; want none and KindValidation", len(b), err)
	}
	if s, err = raw.Parse("<iq type='set' "+many+"</iq>", self); err != nil {
		t.Fatalf("Parse() of an iq: got error %v, want none", err)
	}
	if b, err := s.Payload(); perch.KindOf(err) != perch.KindValidation || len(b) != 0 {
		t.Errorf("Payload() = %d bytes, %v; want none and KindValidation", len(b), err)
	}
	half := "xmlns:p='" + strings.Repeat("n", 30<<10) + "'><p:x/><p:x/><p:x/>"
	if s, err = raw.Parse("<iq type='error' id='1' xmlns:q='urn:q'><q:a "+half+"</q:a><error "+half+"</error></iq>", self); err != nil {
		t.Fatalf("Parse() of an error: got error %v, want none", err)
	}
	if b, err := s.Payload(); perch.KindOf(err) != perch.KindValidation || len(b) != 0 {
		t.Errorf("Payload() of two elements = %d bytes, %v; want at most %d of both", len(b), err, raw.MaxWritten)
	}
	payload := streamtest.Parse(t, "<a "+many+"</a>")
	if got, err := s.Answer(stanza.IQ{Type: "result", Payload: payload}); !errors.Is(err, perch.ErrAnswerTooLarge) || perch.KindOf(err) != perch.KindXMPP || got != "" {
		t.Errorf("Answer() = %d bytes, %v; want none and ErrAnswerTooLarge", len(got), err)
	}
	if s, err = raw.Parse("<message to='b@b.test'><body>"+strings.Repeat("\"", raw.MaxBytes-100)+"</body></message>", self); err != nil {
		t.Fatalf("Parse() of a long text: got error %v, want none", err)
	}
	if b, err := s.Append(nil); err != nil || len(b) < raw.MaxBytes-100 {
		t.Errorf("Append() of a long text = %d bytes, %v; want it", len(b), err)
	}
}

// FuzzParse: whatever a client writes is refused with a kind, or is one stanza of the three, from nobody,
// that no reader takes for more, and by which the gateway does not work.
func FuzzParse(f *testing.F) {
	for _, r := range refusals {
		if len(r.xml) < 4096 {
			f.Add(r.xml)
		}
	}
	f.Add("<message to='b@b.test' id='1'><body>x</body></message>")
	f.Add("<iq type='get' to='b@b.test'><x xmlns='urn:x'><y/></x></iq>")
	f.Add("<iq type='result' id='1' to='b@b.test'/>")
	f.Add("<iq type='error' id='1' to='b@b.test'><x xmlns='urn:x'/><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := raw.Parse(text, self)
		if err != nil {
			if k := perch.KindOf(err); k != perch.KindValidation && k != perch.KindForbidden {
				t.Fatalf("Parse(%q): got error %v, want one of the request", text, err)
			}
			return
		}
		var b []byte
		if s.Name == "iq" {
			var payload []byte
			if payload, err = s.Payload(); err == nil {
				b, err = stanza.AppendIQ(nil, "1", s.Type, s.To, payload)
			}
		} else {
			b, err = s.Append(nil)
		}
		if err != nil {
			return // a text that XML cannot carry
		}
		limits := xmlstream.DefaultLimits()
		limits.Depth += 2
		stream, err := xmlstream.Parse("<s xmlns='jabber:client'>"+string(b)+"</s>", limits)
		if err != nil || len(stream.Children()) != 1 || stream.Text() != "" {
			t.Fatalf("Parse(%q): wrote %s, %v; want one stanza", text, b, err)
		}
		el := stream.Children()[0]
		if el.Space() != xmlstream.NSClient || el.Local() != s.Name || el.Attr("from") != "" || perch.JID(el.Attr("to")) != s.To {
			t.Fatalf("Parse(%q): wrote %s, want a %s to %s", text, b, s.Name, s.To)
		}
		again, err := raw.Parse(string(b), self)
		if err != nil && len(b) <= raw.MaxBytes || err == nil && again.To != s.To {
			t.Fatalf("Parse() of what was written for %q: got %+v, %v; want the same stanza", text, again, err)
		}
	})
}
