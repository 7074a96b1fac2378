package messenger_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/messenger"
)

const vcardGet = "<vCard xmlns='vcard-temp'/>"

func TestM09VCards(t *testing.T) {
	s := start(t, world())
	ann := signIn(t, s, "ann")
	own := ann.iq("get", "", vcardGet)
	if own.at("vCard", "FN").Text != "ann & <co>" || own.at("vCard", "NICKNAME").Text != "ANN" {
		t.Errorf("own: %v, want %q and %q", own, "ann & <co>", "ANN")
	}
	card := ann.iq("get", at("ben"), vcardGet).at("vCard")
	raw, err := base64.StdEncoding.DecodeString(card.at("PHOTO", "BINVAL").Text)
	if err != nil || card.at("PHOTO", "TYPE").Text != "image/png" {
		t.Fatalf("photo: %v %v, want no error and %q", err, card.at("PHOTO", "TYPE").Text, "image/png")
	}
	if img, err := png.Decode(bytes.NewReader(raw)); err != nil || img.Bounds().Dx() < 32 {
		t.Errorf("photo: %v, want no error and at least 32", err)
	}
	if card.at("EMAIL", "USERID").Text != "ben@contoso.com" {
		t.Errorf("card %v, want %q", card, "ben@contoso.com")
	}
	for who, want := range map[string]string{at("dan"): "item-not-found", at("cat"): "item-not-found", at("nobody"): "item-not-found", domain: "item-not-found"} {
		if n := ann.iq("get", who, vcardGet); n.condition() != want {
			t.Errorf("%s: got %v, want %v", who, n, want)
		}
	}
	if n := ann.iq("set", "", "<vCard xmlns='vcard-temp'><FN>x</FN></vCard>"); n.condition() != "not-allowed" {
		t.Errorf("set: %v, want %q", n, "not-allowed")
	}
	// The pending one becomes a contact by being accepted.
	ann.send("<presence type='subscribed' to='%s'/>", at("dan"))
	if n := ann.iq("get", at("dan"), vcardGet); n.at("vCard", "FN").Text == "" {
		t.Errorf("accepted: %v, want some text", n)
	}
}

func TestM09PhotoByAddressAndHash(t *testing.T) {
	o := world()
	o.PhotoHashes = true
	s := start(t, o)
	ann := online(t, s, "ann")
	ben := online(t, s, "ben")
	p := only(ann.sync(), "presence")
	if len(p) != 1 || len(p[0].at("x", "photo").Text) != 40 {
		t.Fatalf("got %v, want 1 and 40", p)
	}
	if err := s.SetVCard("ben", perch.VCard{FullName: "Ben", Photo: &perch.Photo{URL: "https://example.org/b.png"}}); err != nil {
		t.Fatalf("s.SetVCard: got error %v, want none", err)
	}
	p = only(ann.sync(), "presence")
	if len(p) != 1 || p[0].at("x").XMLName.Space != "vcard-temp:x:update" || p[0].at("x", "photo").Text != "" {
		t.Errorf("got %v, want 1 and %q and %q", p, "vcard-temp:x:update", "")
	}
	if n := ben.iq("get", "", vcardGet); n.at("vCard", "PHOTO", "EXTVAL").Text != "https://example.org/b.png" {
		t.Errorf("got %v, want %q", n, "https://example.org/b.png")
	}
}

func retrieve(with string, max int) string {
	return fmt.Sprintf("<retrieve xmlns='urn:xmpp:archive' with='%s'><set xmlns='http://jabber.org/protocol/rsm'><max>%d</max><after>m1</after></set></retrieve>", with, max)
}

func TestM10ArchiveHoldsTheLastTen(t *testing.T) {
	for _, utc := range []bool{false, true} {
		o := world()
		o.ArchiveUTC = utc
		o.Accounts[1].KeepHistory = true // ben's setting serves ann too
		day := time.Date(2012, 5, 1, 10, 0, 0, 0, time.UTC)
		o.Accounts[0].Archive = []messenger.ArchivedMessage{
			{With: "ben", Body: "first", Time: day}, {With: "ben", FromMe: true, Body: "second", Time: day.Add(11 * time.Second)},
			{With: "ben", Body: "third", Time: day.Add(18 * time.Second)},
		}
		s := start(t, o)
		ann := signIn(t, s, "ann")
		chat := ann.iq("get", "", retrieve(at("ben")+"/ignored", 100)).at("chat")
		got := chat.get("with") + " " + chat.get("start")
		for _, m := range chat.Kids {
			got += " " + m.XMLName.Local + m.get("secs") + m.get("utc") + "=" + m.at("body").Text
		}
		want := at("ben") + " 2012-05-01T10:00:00Z from0=first to11=second from7=third"
		if utc {
			want = at("ben") + " 2012-05-01T10:00:00Z from2012-05-01T10:00:00.000Z=first to2012-05-01T10:00:11.000Z=second from2012-05-01T10:00:18.000Z=third"
		}
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		for i := range 12 {
			ann.send("<message type='chat' to='%s'><body>n%d</body></message>", at("ben"), i)
		}
		chat = ann.iq("get", at("ann"), retrieve(at("ben"), 50)).at("chat")
		if len(chat.Kids) != 10 || chat.Kids[9].at("body").Text != "n11" || chat.Kids[0].at("body").Text != "n2" {
			t.Errorf("%d messages, %v, want 10 and %q and %q", len(chat.Kids), chat, "n11", "n2")
		}
		if chat = ann.iq("get", "", retrieve(at("ben"), 3)).at("chat"); len(chat.Kids) != 3 || chat.Kids[0].at("body").Text != "n9" {
			t.Errorf("max 3: %v, want 3 and %q", chat, "n9")
		}
		ben := signIn(t, s, "ben")
		if chat = ben.iq("get", "", retrieve(at("ann"), 1)).at("chat"); len(chat.Kids) != 1 || chat.Kids[0].XMLName.Local != "from" {
			t.Errorf("the other side: %v, want 1 and %q", chat, "from")
		}
	}
}

func TestM10NoHistoryNoArchive(t *testing.T) {
	o := world()
	o.Accounts[0].Archive = []messenger.ArchivedMessage{{With: "ben", Body: "old"}}
	s := start(t, o)
	ann := signIn(t, s, "ann")
	ann.send("<message type='chat' to='%s'><body>unrecorded</body></message>", at("ben"))
	empty := func(when string) {
		t.Helper()
		if n := ann.iq("get", "", retrieve(at("ben"), 10)); n.get("type") != "result" || len(n.Kids) != 0 {
			t.Errorf("%s: got %v, want %q and 0", when, n, "result")
		}
	}
	empty("history off")
	if err := s.SetHistory("ben", true); err != nil {
		t.Fatalf("s.SetHistory: got error %v, want none", err)
	}
	if chat := ann.iq("get", "", retrieve(at("ben"), 10)).at("chat"); len(chat.Kids) != 1 || chat.at("from", "body").Text != "old" {
		t.Errorf("switched on: %v, want 1 and %q", chat, "old")
	}
	s.SetHistory("ben", false)
	empty("switched off")
	for with, want := range map[string]string{"": "bad-request", "a@@b": "bad-request", at("nobody"): ""} {
		if n := ann.iq("get", "", retrieve(with, 10)); n.condition() != want {
			t.Errorf("with %q: %v, want %q", with, n, want)
		}
	}
}
