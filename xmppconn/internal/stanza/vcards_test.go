package stanza_test

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

var isSHA1 = regexp.MustCompile("^[0-9a-f]{40}$")

const tinyPNG = "\x89PNG\r\n\x1a\n rest"

func TestVCardRoundTrip(t *testing.T) {
	card := perch.VCard{
		JID: "b@b.test", FullName: "Bo <B>", Nickname: "bo", GivenName: "Bo", FamilyName: "Bee",
		Emails: []string{"b@b.test", "bo@c.test"}, Phones: []string{"+49 1", "+49 2"}, Organization: "B & Co", Title: "Dr",
		Birthday: "1970-01-01", URL: "https://b.test/?a&b", Description: "two\nlines",
		Photo: &perch.Photo{Type: "image/png", Hash: "", Size: len(tinyPNG), Data: []byte(tinyPNG)},
	}
	raw := encoded(t)(stanza.EncodeVCardSet(card))
	got := stanza.ParseVCard(streamtest.Parse(t, raw), "b@b.test")
	if len(got.Photo.Hash) != 40 {
		t.Errorf("hash %q, want 40 digits", got.Photo.Hash)
	}
	card.Photo.Hash = got.Photo.Hash
	if diff := cmp.Diff(card, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if raw := encoded(t)(stanza.EncodeVCardSet(perch.VCard{})); raw != "<vCard xmlns='vcard-temp'></vCard>" {
		t.Errorf("got %v, want raw <vCard xmlns='vcard-temp'></vCard>", raw)
	}
}

func TestEncodeVCardRefuses(t *testing.T) {
	for _, card := range []perch.VCard{
		{FullName: "\x00"}, {Emails: []string{"a", "\x01"}}, {Photo: &perch.Photo{Data: []byte("<svg/>")}}, {Photo: &perch.Photo{URL: "\xff"}},
	} {
		if b, err := stanza.EncodeVCardSet(card); perch.KindOf(err) != perch.KindValidation || b != nil {
			t.Errorf("%+v: got %q, %v; want %s, no b", card, b, err, perch.KindValidation)
		}
	}
}

func TestM09ParseVCard(t *testing.T) {
	got := stanza.ParseVCard(streamtest.Parse(t, `<vCard xmlns='vcard-temp' version='3.0'>
		<FN> Bo Bee </FN><FN>other</FN><N><FAMILY>Bee</FAMILY><GIVEN/></N>
		<EMAIL><WORK/><INTERNET/><USERID>b@b.test</USERID></EMAIL><EMAIL>plain@b.test</EMAIL><EMAIL><HOME/></EMAIL>
		<TEL><HOME/><VOICE/><NUMBER/></TEL><TEL><NUMBER>+1</NUMBER></TEL>
		<ORG><ORGNAME>B</ORGNAME><ORGUNIT>x</ORGUNIT></ORG><FN xmlns='u'>foreign</FN><X-CUSTOM>y</X-CUSTOM>
		<PHOTO><EXTVAL> https://b.test/p.png </EXTVAL></PHOTO><PHOTO><EXTVAL>https://b.test/q.png</EXTVAL></PHOTO></vCard>`), "b@b.test")
	want := perch.VCard{
		JID: "b@b.test", FullName: "Bo Bee", FamilyName: "Bee", Emails: []string{"b@b.test", "plain@b.test"}, Phones: []string{"+1"},
		Organization: "B", Photo: &perch.Photo{URL: "https://b.test/p.png"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, el := range []*xmlstream.Element{nil, streamtest.Parse(t, "<vCard xmlns='vcard-temp'/>"), streamtest.Parse(t, "<vCard xmlns='u'><FN>x</FN></vCard>")} {
		if diff := cmp.Diff(perch.VCard{JID: "b@b.test"}, stanza.ParseVCard(el, "b@b.test")); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	many := stanza.ParseVCard(streamtest.Parse(t, "<vCard xmlns='vcard-temp'>"+strings.Repeat("<EMAIL>x</EMAIL>", 1000)+"</vCard>"), "b@b.test")
	if len(many.Emails) != 50 {
		t.Errorf("%d addresses, want 50", len(many.Emails))
	}
}

func TestM09ParsePhoto(t *testing.T) {
	pictures := map[string]string{
		"image/png": tinyPNG, "image/jpeg": "\xff\xd8\xff\xe0 rest", "image/gif": "GIF89a rest", "image/webp": "RIFF\x01\x02\x03\x04WEBP rest",
	}
	photo := func(inner string) *perch.Photo {
		return stanza.ParseVCard(streamtest.Parse(t, "<vCard xmlns='vcard-temp'><PHOTO>"+inner+"</PHOTO></vCard>"), "b@b.test").Photo
	}
	for typ, data := range pictures {
		b64 := base64.StdEncoding.EncodeToString([]byte(data))
		for _, binval := range []string{b64, strings.TrimRight(b64, "="), "\n  " + b64[:4] + "\n\t " + b64[4:] + " "} {
			p := photo("<TYPE>text/html</TYPE><BINVAL>" + binval + "</BINVAL>")
			if p == nil || p.Type != typ || string(p.Data) != data || p.Size != len(data) || !isSHA1.MatchString(p.Hash) {
				t.Errorf("%q: got %+v, want a photo, Type %v, %v, Size %v, a hash", binval, p, typ, data, len(data))
			}
		}
	}
	html := base64.StdEncoding.EncodeToString([]byte("<script>alert(1)</script>"))
	if p := photo("<TYPE>image/png</TYPE><BINVAL>" + html + "</BINVAL>"); p == nil || p.Type != "" || p.Data != nil || p.Size == 0 || p.Hash == "" {
		t.Errorf("what is no picture must not be served: got %+v, want a photo, Type none, no Data, some Size, some Hash", p)
	}
	for _, inner := range []string{"", "<BINVAL/>", "<BINVAL>!!!</BINVAL>", "<EXTVAL>javascript:alert(1)</EXTVAL>", "<EXTVAL>data:image/png,x</EXTVAL>"} {
		if p := photo(inner); p != nil {
			t.Errorf("%s: got %+v, want no photo", inner, p)
		}
	}
}

// TestPhotoAmongAlternatives finds the usable bytes, wherever they stand.
func TestPhotoAmongAlternatives(t *testing.T) {
	b64 := func(data string) string { return base64.StdEncoding.EncodeToString([]byte(data)) }
	png, gif := b64(tinyPNG), b64("GIF89a rest")
	bmp := "<PHOTO><TYPE>image/bmp</TYPE><BINVAL>" + b64("BM rest of it") + "</BINVAL></PHOTO>"
	const link = "<EXTVAL>https://b.test/p.png</EXTVAL>"
	for _, tt := range []struct{ name, photos, typ, url string }{
		{"cid and bytes", "<PHOTO><EXTVAL>cid:sha1+1@bob.xmpp.org</EXTVAL><BINVAL>" + png + "</BINVAL></PHOTO>", "image/png", ""},
		{"address and bytes", "<PHOTO>" + link + "<BINVAL>" + png + "</BINVAL></PHOTO>", "image/png", ""},
		{"bytes and address", "<PHOTO><BINVAL>" + png + "</BINVAL>" + link + "</PHOTO>", "image/png", ""},
		{"address in one, bytes in another", "<PHOTO>" + link + "</PHOTO><PHOTO><BINVAL>" + png + "</BINVAL></PHOTO>", "image/png", ""},
		{"data URI in BINVAL", "<PHOTO><BINVAL>data:image/png;base64," + png + "</BINVAL></PHOTO>", "image/png", ""},
		{"data URI in EXTVAL", "<PHOTO><EXTVAL> DATA:image/png;charset=x;BASE64," + png[:8] + "\n" + png[8:] + " </EXTVAL></PHOTO>", "image/png", ""},
		{"data URI with percents", "<PHOTO><BINVAL>data:image/gif,GIF89a%20rest</BINVAL></PHOTO>", "image/gif", ""},
		{"data URI of base64 with percents", "<PHOTO><BINVAL>data:;base64," + strings.ReplaceAll(gif, "=", "%3D") + "</BINVAL></PHOTO>", "image/gif", ""},
		{"another alphabet", "<PHOTO><BINVAL>" + base64.URLEncoding.EncodeToString([]byte(tinyPNG+"\xff\xfe\xfb")) + "</BINVAL></PHOTO>", "image/png", ""},
		{"right in the element", "<PHOTO>" + png + "</PHOTO>", "image/png", ""},
		{"BMP, then PNG", bmp + "<PHOTO><BINVAL>" + png + "</BINVAL></PHOTO>", "image/png", ""},
		{"empty, then GIF, then PNG", "<PHOTO/><PHOTO><BINVAL/></PHOTO><PHOTO><BINVAL>" + gif + "</BINVAL></PHOTO><PHOTO><BINVAL>" + png + "</BINVAL></PHOTO>", "image/gif", ""},
		{"two in one", "<PHOTO><BINVAL>!</BINVAL><BINVAL>" + png + "</BINVAL></PHOTO>", "image/png", ""},
		{"address alone", "<PHOTO>" + link + "</PHOTO>", "", "https://b.test/p.png"},
		{"address beside broken bytes", "<PHOTO><BINVAL>!!!</BINVAL>" + link + "</PHOTO>", "", "https://b.test/p.png"},
		{"address beside a BMP", bmp + "<PHOTO>" + link + "</PHOTO>", "", "https://b.test/p.png"},
		{"cid, then address", "<PHOTO><EXTVAL>cid:1</EXTVAL></PHOTO><PHOTO>" + link + "</PHOTO>", "", "https://b.test/p.png"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := stanza.ParseVCard(streamtest.Parse(t, "<vCard xmlns='vcard-temp'>"+tt.photos+"</vCard>"), "b@b.test").Photo
			if p == nil || p.Type != tt.typ || p.URL != tt.url || (tt.typ != "") != (stanza.SniffPhoto(p.Data) == tt.typ && p.Size == len(p.Data) && isSHA1.MatchString(p.Hash)) {
				t.Errorf("got %+v, want %q %q", p, tt.typ, tt.url)
			}
		})
	}
	p := stanza.ParseVCard(streamtest.Parse(t, "<vCard xmlns='vcard-temp'>"+bmp+"</vCard>"), "b@b.test").Photo
	if p == nil || p.Type != "" || p.Data != nil || p.Size != len("BM rest of it") || !isSHA1.MatchString(p.Hash) {
		t.Errorf("a BMP alone: got %+v, want a photo, Type none, no Data, Size %v, a hash", p, len("BM rest of it"))
	}
}

// FuzzPhoto holds that whatever a text is, its bytes are served as what they are, and an
// address is one of the web.
func FuzzPhoto(f *testing.F) {
	for _, s := range []string{"iVBORw0KGgo=", "data:image/png;base64,iVBORw0KGgo=", "data:,GIF89a%20", "https://b.test/p.png", "cid:1", "data:;base64,%", "http:", "-_", ""} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, extval, binval string) {
		w := xmlstream.NewWriter(nil)
		w.Raw("<vCard xmlns='vcard-temp'><PHOTO><EXTVAL>")
		w.Text("/extval", extval)
		w.Raw("</EXTVAL><BINVAL>")
		w.Text("/binval", binval)
		w.Raw("</BINVAL></PHOTO></vCard>")
		raw, err := w.Result()
		if err != nil {
			return // XML cannot carry it
		}
		_, card, ok := firstFrame(raw)
		if !ok {
			t.Fatalf("got no element of %s, want a card", raw)
		}
		p := stanza.ParseVCard(card, "b@b.test").Photo
		switch {
		case p == nil:
		case p.URL != "":
			if l := strings.ToLower(p.URL); p.Data != nil || !strings.HasPrefix(l, "http://") && !strings.HasPrefix(l, "https://") {
				t.Fatalf("got %+v, want a photo of a known type, or an address of the web", p)
			}
		case len(p.Data) > 0 && (stanza.SniffPhoto(p.Data) != p.Type || p.Type == "" || p.Size != len(p.Data)), p.Data == nil && p.Type != "", !isSHA1.MatchString(p.Hash):
			t.Fatalf("got %+v, want a photo of a known type, or an address of the web", p)
		}
	})
}
