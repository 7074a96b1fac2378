package xmppconn

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/testkit"
)

// sendsStanza sends a stanza of a client, and returns the answer.
func (r *realUser) sendsStanza(xml string) string {
	r.t.Helper()
	answer, err := r.SendStanza(context.Background(), xml, func(perch.JID) error { return nil }, func() error { return nil })
	if err != nil {
		r.t.Fatalf("%s: SendStanza(%s): got error %v, want none", r.jid, xml, err)
	}
	return answer
}

// pepPublish publishes an item in a node of the own account that everybody can read.
func pepPublish(node, item string) string {
	return "<iq type='set' id='p1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='" + node + "'><item id='current'>" + item + "</item></publish>" +
		"<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>" +
		"<field var='pubsub#access_model'><value>open</value></field></x></publish-options></pubsub></iq>"
}

// TestStanzasOnRealServers is what a client with OMEMO (XEP-0384) and calls (XEP-0353) does beyond this
// gateway's own API: it publishes its keys, fetches those of others, and calls one who has another client.
func TestStanzasOnRealServers(t *testing.T) {
	realServers(t, func(t *testing.T, s *testkit.Server, _ perch.JID) {
		alice, carol := newRealUser(t, s, "alice"), newRealUser(t, s, "carol")
		u := s.NewUser(t, "bob")
		bob := testkit.Slixmpp(t, testkit.SlixmppOptions{Addr: s.Addr, CAFile: s.CAFile, JID: u.JID, Password: u.Password, Stanzas: true})
		bob.Presence(t, "", "")

		const devices, bundles = "eu.siacs.conversations.axolotl.devicelist", "eu.siacs.conversations.axolotl.bundles:31415"
		if got := alice.sendsStanza(pepPublish(devices, "<list xmlns='eu.siacs.conversations.axolotl'><device id='31415'/></list>")); !strings.Contains(got, "type='result'") || !strings.Contains(got, "id='p1'") {
			t.Errorf("got %s, want the result with the id of the client", got)
		}
		alice.sendsStanza(pepPublish(bundles, "<bundle xmlns='eu.siacs.conversations.axolotl'><identityKey>"+strings.Repeat("QUJD", 2000)+"</identityKey></bundle>"))
		for node, want := range map[string]string{devices: "31415", bundles: "QUJDQUJD"} {
			get := "<iq type='get' to='" + string(alice.jid) + "'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='" + node + "'/></pubsub></iq>"
			if got := carol.sendsStanza(get); !strings.Contains(got, want) {
				t.Errorf("%s: got %s, want what was published", node, got)
			}
		}
		alice.sendsStanza("<message to='" + u.JID + "' type='chat' id='e1'><encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='31415'/><payload>QUJD</payload></encrypted><body>fallback</body></message>")
		alice.sendsStanza("<message to='" + u.JID + "' type='chat' id='c1'><propose xmlns='urn:xmpp:jingle-message:0' id='call1'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose><store xmlns='urn:xmpp:hints'/></message>")
		for id, want := range map[string]string{"e1": "eu.siacs.conversations.axolotl", "c1": "urn:xmpp:jingle-message:0"} {
			e := bob.Expect(t, "stanza "+id, func(e testkit.PeerEvent) bool { return e.Event == "stanza" && strings.Contains(e.XML, `"`+id+`"`) })
			if !strings.Contains(e.XML, want) || !strings.Contains(e.XML, string(alice.jid)+"/") {
				t.Errorf("%s: got %s, want %s from %s", id, e.XML, want, alice.jid)
			}
		}
		_, err := alice.SendStanza(context.Background(), "<iq type='get' to='"+u.JID+"/nobody'><query xmlns='jabber:iq:last'/></iq>", nil, func() error { return nil })
		if perch.ConditionOf(err) != "service-unavailable" {
			t.Errorf("an error answer: got %v, want service-unavailable", err)
		}
	})
}

// awaitsStanza waits for a stanza of an account that has a text in it.
func (r *realUser) awaitsStanza(what string, from perch.JID, text string) *perch.StanzaIn {
	r.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case in := <-r.in:
			if s, ok := in.(*perch.StanzaIn); ok && s.From.Bare().Equal(from) && strings.Contains(s.XML, text) {
				return s
			}
		case <-deadline:
			r.t.Fatalf("%s: %s got no stanza of %s with %q, want one", what, r.jid, from, text)
		}
	}
}

// TestStanzaEventsOnRealServers is the other way: a client that listens hears of the devices of a contact, of a call
// and of the session that is offered then (XEP-0166), which it accepts or refuses; a contact hears at once that
// nobody can answer when no client listens.
func TestStanzaEventsOnRealServers(t *testing.T) {
	realServers(t, func(t *testing.T, s *testkit.Server, _ perch.JID) {
		alice := newRealUser(t, s, "alice")
		u := s.NewUser(t, "bob")
		bob := testkit.Slixmpp(t, testkit.SlixmppOptions{Addr: s.Addr, CAFile: s.CAFile, JID: u.JID, Password: u.Password})
		bob.Presence(t, "", "")
		const devices = "eu.siacs.conversations.axolotl.devicelist"
		publish := "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='" + devices + "'><item id='current'><list xmlns='eu.siacs.conversations.axolotl'><device id='%d'/></list></item></publish>" +
			"<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>" +
			"<field var='pubsub#access_model'><value>open</value></field></x></publish-options></pubsub>"
		bob.Do(t, "iq", map[string]any{"to": u.JID, "type": "set", "payload": strings.Replace(publish, "%d", "1", 1)})
		alice.ListenStanzas(true)
		alice.sendsStanza("<iq type='set' to='" + u.JID + "' id='s1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='" + devices + "' jid='" + string(alice.jid) + "'/></pubsub></iq>")
		bob.Do(t, "iq", map[string]any{"to": u.JID, "type": "set", "payload": strings.Replace(publish, "%d", "27182", 1)})
		alice.awaitsStanza("the devices", perch.JID(u.JID), "27182")

		full := string(alice.Login().JID)
		bob.Raw(t, "<message xmlns='jabber:client' to='"+full+"' type='chat' id='c1'><propose xmlns='urn:xmpp:jingle-message:0' id='call1'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>")
		alice.awaitsStanza("a call", perch.JID(u.JID), "call1")

		const jingle = "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='call1'/>"
		offer := map[string]any{"to": full, "type": "set", "payload": jingle}
		for _, tt := range []struct{ answer, want, err string }{
			{"<iq type='result' id='%' to='" + u.JID + "'/>", "type=\"result\"", ""},
			{"<iq type='error' id='%' to='" + u.JID + "'><error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>", "", "not-acceptable"},
		} {
			answered := bob.Begin(t, "iq", offer)
			in := alice.awaitsStanza("an offer", perch.JID(u.JID), "session-initiate")
			if in.AnswerBy == 0 {
				t.Errorf("got %+v, want a request", in)
			}
			id := regexp.MustCompile(` id='([^']+)'`).FindStringSubmatch(in.XML)[1]
			to := strings.Replace(tt.answer, "'"+u.JID+"'", "'"+string(in.From)+"'", 1)
			alice.sendsStanza(strings.Replace(to, "%", id, 1))
			if e := answered(); !strings.Contains(e.XML, tt.want) || e.Error != tt.err {
				t.Errorf("got %+v, want the answer of the client (%s%s)", e, tt.want, tt.err)
			}
		}
		alice.ListenStanzas(false)
		if e := bob.Begin(t, "iq", offer)(); e.Error != "service-unavailable" {
			t.Errorf("with nobody who listens: got %+v, want service-unavailable", e)
		}
	})
}
