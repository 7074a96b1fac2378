package stanza_test

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
)

func sha1Of(data string) string {
	sum := sha1.Sum([]byte(data))
	return hex.EncodeToString(sum[:])
}

// items is an answer with one item of a node.
func items(content string) string {
	return "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'>" + content + "</items></pubsub>"
}

func TestEncodeAvatars(t *testing.T) {
	text, id := encoded(t), sha1Of(tinyPNG)
	equal(t, "EncodeAvatarDataGet()", text(stanza.EncodeAvatarDataGet("'a")),
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:data'><item id='&apos;a'/></items></pubsub>")
	equal(t, "EncodeAvatarData()", text(stanza.EncodeAvatarData([]byte(tinyPNG))),
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:avatar:data'><item id='"+id+"'><data xmlns='urn:xmpp:avatar:data'>"+
			base64.StdEncoding.EncodeToString([]byte(tinyPNG))+"</data></item></publish></pubsub>")
	equal(t, "EncodeAvatarMetadata()", text(stanza.EncodeAvatarMetadata([]byte(tinyPNG))),
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:avatar:metadata'><item id='"+id+"'><metadata xmlns='urn:xmpp:avatar:metadata'>"+
			"<info id='"+id+"' type='image/png' bytes='13'/></metadata></item></publish></pubsub>")
	equal(t, "EncodeAvatarMetadata() of none", text(stanza.EncodeAvatarMetadata(nil)),
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:avatar:metadata'><item><metadata xmlns='urn:xmpp:avatar:metadata'/></item></publish></pubsub>")
	if b, err := stanza.EncodeAvatarMetadata([]byte("<svg/>")); perch.KindOf(err) != perch.KindValidation {
		t.Errorf("EncodeAvatarMetadata() of no picture: got %s, %v; want %s", b, err, perch.KindValidation)
	}
}

func TestParseAvatarMetadata(t *testing.T) {
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	for _, tt := range []struct {
		infos string
		want  []stanza.AvatarInfo
	}{
		{"", nil},
		{"<info id='" + strings.ToUpper(a) + "' type='image/png' bytes='3'/>", []stanza.AvatarInfo{{ID: a}}},
		{"<info id='" + a + "' url='https://b.test/a.png' bytes='9'/><info id='" + b + "'/>", []stanza.AvatarInfo{{ID: b}, {ID: a, URL: "https://b.test/a.png"}}},
		{"<info id='" + a + "' url='javascript:1'/><info id='" + a + "' url='https:///x'/>", nil},
		{"<info id='" + a + "' bytes='98304'/><info id='" + b + "' bytes='98305'/>", []stanza.AvatarInfo{{ID: a}}},
		{"<info id='../x'/><info/><info id='" + a + "0'/><x id='" + a + "'/>", nil},
	} {
		raw := items("<item id='1'><metadata xmlns='urn:xmpp:avatar:metadata'>" + tt.infos + "</metadata></item><item id='0'><metadata xmlns='urn:xmpp:avatar:metadata'><info id='" + b + "'/></metadata></item>")
		if diff := cmp.Diff(tt.want, stanza.ParseAvatarMetadata(streamtest.Parse(t, raw))); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.infos, diff)
		}
	}
	if got := stanza.ParseAvatarMetadata(nil); got != nil {
		t.Errorf("ParseAvatarMetadata() of no answer: got %v, want none", got)
	}
	many := items("<item><metadata xmlns='urn:xmpp:avatar:metadata'>" + strings.Repeat("<info id='"+a+"'/>", 100) + "</metadata></item>")
	if got := stanza.ParseAvatarMetadata(streamtest.Parse(t, many)); len(got) != 16 {
		t.Errorf("got %d forms, want 16", len(got))
	}
}

func TestParseAvatarData(t *testing.T) {
	answer := func(data string) string {
		return items("<item><data xmlns='urn:xmpp:avatar:data'>" + base64.StdEncoding.EncodeToString([]byte(data)) + "</data></item>")
	}
	large := tinyPNG + strings.Repeat("x", 96<<10-len(tinyPNG))
	for name, tt := range map[string]struct {
		raw, id string
		size    int // 0: none
	}{
		"a picture":         {answer(tinyPNG), sha1Of(tinyPNG), len(tinyPNG)},
		"other bytes":       {answer(tinyPNG), sha1Of("x"), 0},
		"no picture":        {answer("<svg/>"), sha1Of("<svg/>"), 0},
		"as large as it is": {answer(large), sha1Of(large), 96 << 10},
		"too large":         {answer(large + "x"), sha1Of(large + "x"), 0},
		"nothing":           {items(""), sha1Of(""), 0},
		"no base64":         {items("<item><data xmlns='urn:xmpp:avatar:data'>?</data></item>"), sha1Of(""), 0},
	} {
		p := stanza.ParseAvatarData(streamtest.Parse(t, tt.raw), tt.id)
		if (p != nil) != (tt.size > 0) || p != nil && (p.Size != tt.size || p.Hash != tt.id || p.Type != "image/png" || len(p.Data) != tt.size) {
			t.Errorf("%s: got %+v, want a picture of %d bytes", name, p, tt.size)
		}
	}
}

// FuzzAvatars reads anything as metadata and as data: what comes out is a hash, and bytes that have it.
func FuzzAvatars(f *testing.F) {
	f.Add([]byte(items("<item><metadata xmlns='urn:xmpp:avatar:metadata'><info id='" + sha1Of(tinyPNG) + "' bytes='1' url='https://a'/></metadata></item>")))
	f.Add([]byte(items("<item><data xmlns='urn:xmpp:avatar:data'>" + base64.StdEncoding.EncodeToString([]byte(tinyPNG)) + "</data></item>")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, el, ok := firstFrame(raw)
		if !ok {
			return
		}
		infos := stanza.ParseAvatarMetadata(el)
		if len(infos) > 16 {
			t.Fatalf("got %d forms, want at most 16", len(infos))
		}
		for _, info := range infos {
			if !isSHA1.MatchString(info.ID) {
				t.Fatalf("got the id %q, want a SHA-1", info.ID)
			}
		}
		for _, id := range []string{sha1Of(tinyPNG), sha1Of("")} {
			if p := stanza.ParseAvatarData(el, id); p != nil && (sha1Of(string(p.Data)) != id || len(p.Data) > stanza.MaxAvatar || p.Type == "") {
				t.Fatalf("got %+v for %s, want its bytes", p, id)
			}
		}
	})
}
