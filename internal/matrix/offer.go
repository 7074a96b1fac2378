package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/internal/todaytest"
)

// offer is what a server offers, as service discovery and stream features say.
type offer struct {
	Mechanisms []string        // of all domains
	Bindings   []string        // of XEP-0440
	Has        map[string]bool // by names of features
}

// feature is something that a server may offer: an element of its stream features by name and namespace, or
// a feature that service discovery finds.
type feature struct{ name, label string }

var features = []feature{
	{"urn:xmpp:sasl:2", "SASL2 (XEP-0388)"},
	{"urn:xmpp:bind:0", "Bind 2 (XEP-0386)"},
	{"urn:xmpp:fast:0", "FAST (XEP-0484)"},
	{"urn:xmpp:sm:3", "stream management (XEP-0198)"},
	{"urn:xmpp:csi:0", "client state (XEP-0352)"},
	{"urn:xmpp:carbons:2", "carbons (XEP-0280)"},
	{"urn:xmpp:mam:2", "archive (XEP-0313)"},
	{"urn:xmpp:mam:2#extended", "archive by ids (XEP-0313, 4.1.4)"},
	{"full text", "search in the archive"},
	{"http://jabber.org/protocol/pubsub#publish-options", "PEP with options (XEP-0163)"},
	{"urn:xmpp:bookmarks:1#compat", "bookmarks as items, shown to older clients (XEP-0402)"},
	{"urn:xmpp:bookmarks-conversion:0", "bookmarks as one document (XEP-0411)"},
	{"urn:xmpp:pep-vcard-conversion:0", "avatars of both kinds (XEP-0398)"},
	{"urn:xmpp:blocking", "blocking (XEP-0191)"},
	{"urn:xmpp:reporting:1", "reports (XEP-0377)"},
	{"urn:xmpp:http:upload:0", "uploads (XEP-0363)"},
	{"jabber:iq:register", "change of password (XEP-0077)"},
	{"http://jabber.org/protocol/muc", "rooms (XEP-0045)"},
	{"room urn:xmpp:mam:2", "rooms: archive"},
	{"room urn:xmpp:occupant-id:0", "rooms: occupant ids (XEP-0421)"},
	{"room urn:xmpp:message-moderate:0", "rooms: moderation (XEP-0425, version 0.2)"},
	{"room urn:xmpp:message-moderate:1", "rooms: moderation (XEP-0425, version 0.3)"},
	{"room http://jabber.org/protocol/muc#self-ping-optimization", "rooms: self-ping (XEP-0410)"},
}

// printOffer starts a server and asks it.
func printOffer(name string) error {
	var o offer
	var failed error
	err := testkit.Outside(func(t testkit.TB) {
		domains := map[string][]string{
			"prosody":  {"alpha.test", testkit.ProsodySCRAM, testkit.ProsodySCRAM256},
			"ejabberd": {"gamma.test", testkit.EjabberdSCRAM512},
		}[name]
		hosts := hosts{"conference.", "upload."}
		var s *testkit.Server
		switch name {
		case "prosody":
			s = testkit.Prosody(t, testkit.ProsodyOptions{})
		case "ejabberd":
			s = testkit.Ejabberd(t)
		case embeddedServer:
			s = todaytest.Server(t)
			domains, hosts.rooms = []string{s.Domain}, "rooms."
		default:
			t.Fatalf("there is no server %q", name)
		}
		o, failed = ask(s, domains, hosts, s.NewUser(t, "asks"))
	})
	if err != nil || failed != nil {
		return fmt.Errorf("%s: %w", name, errorOf(err, failed))
	}
	return json.NewEncoder(os.Stdout).Encode(o)
}

func errorOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// hosts are what stands before a domain where its rooms and uploads are.
type hosts struct{ rooms, uploads string }

// ask reads the stream features of every domain, and asks the server, the account and a room of the first.
func ask(s *testkit.Server, domains []string, h hosts, u testkit.User) (o offer, err error) {
	o.Has = map[string]bool{}
	for _, domain := range domains {
		c, err := dial(s, domain)
		if err != nil {
			return o, err
		}
		o.noteStream(c.features)
		if domain == s.Domain {
			err = o.askAs(c, u, domain, h)
		}
		c.close()
		if err != nil {
			return o, err
		}
	}
	slices.Sort(o.Mechanisms)
	slices.Sort(o.Bindings)
	o.Mechanisms, o.Bindings = slices.Compact(o.Mechanisms), slices.Compact(o.Bindings)
	return o, nil
}

// noteStream notes stream features, with what is inside of SASL2.
func (o *offer) noteStream(f element) {
	o.Has[f.Name.Space] = true
	switch {
	case f.Name.Local == "mechanism":
		o.Mechanisms = append(o.Mechanisms, f.Text)
		return
	case f.Name.Local == "channel-binding":
		o.Bindings = append(o.Bindings, f.attr("type"))
	}
	for _, child := range f.Children {
		if f.Name.Space != "urn:xmpp:fast:0" { // its mechanisms are of tokens
			o.noteStream(child)
		}
	}
}

// askAs signs an account in and asks what is there for it.
func (o *offer) askAs(c *client, u testkit.User, domain string, h hosts) error {
	bound, err := c.signIn(u, domain)
	o.noteStream(bound)
	if err != nil {
		return err
	}
	own, room := u.JID, "versions@"+h.rooms+domain
	if err := c.join(room); err != nil {
		return err
	}
	for _, to := range []struct{ jid, prefix string }{{domain, ""}, {own, ""}, {h.uploads + domain, ""}, {h.rooms + domain, ""}, {room, "room "}} {
		info, err := c.query(to.jid, "<query xmlns='http://jabber.org/protocol/disco#info'/>")
		if err != nil {
			return fmt.Errorf("%s: %w", to.jid, err)
		}
		for f := range info.all("feature") {
			o.Has[to.prefix+f.attr("var")] = true
		}
	}
	form, err := c.query("", "<query xmlns='urn:xmpp:mam:2'/>")
	if err != nil {
		return fmt.Errorf("form of the archive: %w", err)
	}
	for f := range form.all("field") {
		if slices.Contains([]string{"withtext", "{urn:xmpp:fulltext:0}fulltext"}, f.attr("var")) {
			o.Has["full text"] = true
		}
	}
	return nil
}
