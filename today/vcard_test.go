package today_test

import (
	"encoding/base64"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
	"github.com/perch-im/perch/internal/xmpptest"
)

func cardWith(photo []byte) string {
	return "<vCard xmlns='vcard-temp'><FN>Ann &amp; Co</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>\n" + base64.StdEncoding.EncodeToString(photo) + "\n</BINVAL></PHOTO></vCard>"
}

// photoOf is what the last presence of an address says of its picture.
func photoOf(c *xmpptest.Client, from string) string {
	c.T.Helper()
	hash := "no presence"
	for _, n := range xmpptest.Only(c.Sync(), "presence") {
		if n.Get("from") == from {
			hash = n.At("x", "photo").Text
		}
	}
	return hash
}

func TestVCards(t *testing.T) {
	o := world()
	o.Accounts[1].VCard = perch.VCard{FullName: "Ben", Emails: []string{"ben@example.org"}, Photo: xmppserver.Portrait("ben")}
	s := start(t, o)
	ann, ben := online(t, s, "ann", "a"), online(t, s, "ben", "b")
	const get = "<vCard xmlns='vcard-temp'/>"
	for _, tt := range []struct{ name, kind, to, payload, condition, fn string }{
		{"none yet", "get", "", get, "item-not-found", ""},
		{"of the options", "get", at("ben"), get, "", "Ben"},
		{"of nobody", "get", at("nobody"), get, "item-not-found", ""},
		{"of the domain", "get", s.Domain(), get, "service-unavailable", ""},
		{"of another, set", "set", at("ben"), get, "forbidden", ""},
		{"set", "set", "", cardWith(xmppserver.Portrait("ann").Data), "", ""},
		{"as it was set", "get", at("ann"), get, "", "Ann & Co"},
	} {
		n := ann.IQ(tt.kind, tt.to, tt.payload)
		if got, fn := n.Condition(), n.At("vCard", "FN").Text; got != tt.condition || fn != tt.fn {
			t.Errorf("%s: got the condition %q and %q, want %q and %q", tt.name, got, fn, tt.condition, tt.fn)
		}
	}
	if got, want := photoOf(ben, at("ann")+"/a"), xmppserver.PhotoHash(xmppserver.Portrait("ann").Data); got != want {
		t.Errorf("ann's presence: got the hash %q, want %q", got, want)
	}
	ben.Send("<presence><x xmlns='vcard-temp:x:update'><photo>forged</photo></x></presence>")
	ben.Sync()
	if got, want := photoOf(ann, at("ben")+"/b"), xmppserver.PhotoHash(xmppserver.Portrait("ben").Data); got != want {
		t.Errorf("ben's presence: got the hash %q, want %q", got, want)
	}
}

func TestCardAndAvatarAreTheSame(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann", "a"), online(t, s, "ben", "b")
	const metadata, data = "urn:xmpp:avatar:metadata", "urn:xmpp:avatar:data"
	one, two := xmppserver.Portrait("one").Data, xmppserver.Portrait("two").Data
	ann.IQ("set", "", cardWith(one))
	id := xmppserver.PhotoHash(one)
	info := ben.IQ("get", at("ann"), pubsub("<items node='"+metadata+"' max_items='1'/>")).At("pubsub", "items", "item", "metadata", "info")
	if info.Get("id") != id || info.Get("type") != "image/png" {
		t.Errorf("after the card: got the metadata %v, want %q of image/png", info, id)
	}
	got := ben.IQ("get", at("ann"), pubsub("<items node='"+data+"'><item id='"+id+"'/></items>")).At("pubsub", "items", "item", "data").Text
	if want := base64.StdEncoding.EncodeToString(one); got != want {
		t.Errorf("after the card: got %d bytes of data, want %d", len(got), len(want))
	}

	id = xmppserver.PhotoHash(two)
	ann.IQ("set", "", pubsub("<publish node='"+data+"'><item id='"+id+"'><data xmlns='"+data+"'>"+base64.StdEncoding.EncodeToString(two)+"</data></item></publish>"))
	ben.Sync()
	ann.IQ("set", "", pubsub("<publish node='"+metadata+"'><item id='"+id+"'><metadata xmlns='"+metadata+"'><info id='"+id+"' type='image/png' bytes='1'/></metadata></item></publish>"))
	if got := photoOf(ben, at("ann")+"/a"); got != id {
		t.Errorf("after the avatar: got the hash %q in presence, want %q", got, id)
	}
	card := ben.IQ("get", at("ann"), "<vCard xmlns='vcard-temp'/>").At("vCard")
	if got := card.At("PHOTO", "BINVAL").Text; got != base64.StdEncoding.EncodeToString(two) || card.At("FN").Text != "Ann & Co" {
		t.Errorf("after the avatar: got the card %v, want the name with the new picture", card)
	}

	ann.IQ("set", "", pubsub("<publish node='"+metadata+"'><item><metadata xmlns='"+metadata+"'/></item></publish>"))
	if got := photoOf(ben, at("ann")+"/a"); got != "" {
		t.Errorf("without an avatar: got the hash %q, want none", got)
	}
	if got := ben.IQ("get", at("ann"), "<vCard xmlns='vcard-temp'/>").At("vCard", "PHOTO"); len(got.Kids) != 0 {
		t.Errorf("without an avatar: got the picture %v, want none", got)
	}
}
