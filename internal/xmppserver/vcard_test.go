package xmppserver_test

import (
	"bytes"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

func TestVCard(t *testing.T) {
	v := perch.VCard{FullName: "A & B", GivenName: "A", Nickname: "ab", Emails: []string{"a@b"}, Phones: []string{"1"}, Organization: "O", Photo: &perch.Photo{URL: "http://a/"}}
	got := string(xmppserver.VCard(v).Append(nil, xmppserver.NSClient))
	want := "<vCard xmlns='vcard-temp'><FN>A &amp; B</FN><N><GIVEN>A</GIVEN></N><NICKNAME>ab</NICKNAME><EMAIL><INTERNET/><USERID>a@b</USERID></EMAIL>" +
		"<TEL><VOICE/><NUMBER>1</NUMBER></TEL><ORG><ORGNAME>O</ORGNAME></ORG><PHOTO><EXTVAL>http://a/</EXTVAL></PHOTO></vCard>"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got = string(xmppserver.PhotoElement(perch.Photo{Type: "image/png", Data: []byte("abc")}).Append(nil, ""))
	if want := "<PHOTO xmlns='vcard-temp'><TYPE>image/png</TYPE><BINVAL>YWJj</BINVAL></PHOTO>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := xmppserver.PhotoHash([]byte("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d"; got != want {
		t.Errorf("got the hash %s, want %s", got, want)
	}
}

func TestPortrait(t *testing.T) {
	ann, again, ben := xmppserver.Portrait("ann"), xmppserver.Portrait("ann"), xmppserver.Portrait("ben")
	if !bytes.Equal(ann.Data, again.Data) || bytes.Equal(ann.Data, ben.Data) {
		t.Error("got other pictures, want one a name")
	}
}
