package xmppconn

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
)

const tinyPNG = "\x89PNG\r\n\x1a\n rest"

func TestVCardRoundTrip(t *testing.T) {
	card := perch.VCard{
		JID: "b@b.test", FullName: "Bo <B>", Nickname: "bo", GivenName: "Bo", FamilyName: "Bee",
		Emails: []string{"b@b.test", "bo@c.test"}, Phones: []string{"+49 1", "+49 2"}, Organization: "B & Co", Title: "Dr",
		Birthday: "1970-01-01", URL: "https://b.test/?a&b", Description: "two\nlines",
		Photo: &perch.Photo{Type: "image/png", Hash: "", Size: len(tinyPNG), Data: []byte(tinyPNG)},
	}
	raw := encoded(t)(encodeVCardSet(card))
	got := parseVCard(mustParse(t, raw), "b@b.test")
	if len(got.Photo.Hash) != 40 {
		t.Errorf("hash %q", got.Photo.Hash)
	}
	card.Photo.Hash = got.Photo.Hash
	if diff := cmp.Diff(card, got); diff != "" {
		t.Error(diff)
	}
	if raw := encoded(t)(encodeVCardSet(perch.VCard{})); raw != "<vCard xmlns='vcard-temp'></vCard>" {
		t.Error(raw)
	}
}

func TestEncodeVCardRefuses(t *testing.T) {
	for _, card := range []perch.VCard{
		{FullName: "\x00"}, {Emails: []string{"a", "\x01"}}, {Photo: &perch.Photo{Data: []byte("<svg/>")}}, {Photo: &perch.Photo{URL: "\xff"}},
	} {
		if b, err := encodeVCardSet(card); perch.KindOf(err) != perch.KindValidation || b != nil {
			t.Errorf("%+v: %q, %v", card, b, err)
		}
	}
}

func TestM09ParseVCard(t *testing.T) {
	got := parseVCard(mustParse(t, `<vCard xmlns='vcard-temp' version='3.0'>
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
		t.Error(diff)
	}
	for _, el := range []*element{nil, mustParse(t, "<vCard xmlns='vcard-temp'/>"), mustParse(t, "<vCard xmlns='u'><FN>x</FN></vCard>")} {
		if diff := cmp.Diff(perch.VCard{JID: "b@b.test"}, parseVCard(el, "b@b.test")); diff != "" {
			t.Error(diff)
		}
	}
	many := parseVCard(mustParse(t, "<vCard xmlns='vcard-temp'>"+strings.Repeat("<EMAIL>x</EMAIL>", 1000)+"</vCard>"), "b@b.test")
	if len(many.Emails) != mostEntries {
		t.Errorf("%d addresses", len(many.Emails))
	}
}

func TestM09ParsePhoto(t *testing.T) {
	pictures := map[string]string{
		"image/png": tinyPNG, "image/jpeg": "\xff\xd8\xff\xe0 rest", "image/gif": "GIF89a rest", "image/webp": "RIFF\x01\x02\x03\x04WEBP rest",
	}
	photo := func(inner string) *perch.Photo {
		return parsePhoto(mustParse(t, "<PHOTO xmlns='vcard-temp'>"+inner+"</PHOTO>"))
	}
	for typ, data := range pictures {
		b64 := base64.StdEncoding.EncodeToString([]byte(data))
		for _, binval := range []string{b64, strings.TrimRight(b64, "="), "\n  " + b64[:4] + "\n\t " + b64[4:] + " "} {
			p := photo("<TYPE>text/html</TYPE><BINVAL>" + binval + "</BINVAL>")
			if p == nil || p.Type != typ || string(p.Data) != data || p.Size != len(data) || !isSHA1(p.Hash) {
				t.Errorf("%q: %+v", binval, p)
			}
		}
	}
	html := base64.StdEncoding.EncodeToString([]byte("<script>alert(1)</script>"))
	if p := photo("<TYPE>image/png</TYPE><BINVAL>" + html + "</BINVAL>"); p == nil || p.Type != "" || p.Data != nil || p.Size == 0 || p.Hash == "" {
		t.Errorf("what is no picture must not be served: %+v", p)
	}
	for _, inner := range []string{"", "<BINVAL/>", "<BINVAL>!!!</BINVAL>", "<EXTVAL>javascript:alert(1)</EXTVAL>", "<EXTVAL>data:image/png,x</EXTVAL>"} {
		if p := photo(inner); p != nil {
			t.Errorf("%s: %+v", inner, p)
		}
	}
}
