package stanza_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
)

const fileURL = "https://b.test/f.png"

// sharedFile is XEP-0447 with all that Perch reads of it.
func sharedFile(url string) string {
	return "<file-sharing xmlns='urn:xmpp:sfs:0' disposition='inline'><file xmlns='urn:xmpp:file:metadata:0'><media-type>image/png</media-type><name>f.png</name>" +
		"<size>70</size><width>2</width><height>3</height><desc>a bird</desc><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>AA==</hash></file>" +
		"<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='" + url + "'/></sources></file-sharing>"
}

// TestAttachments reads files of messages. The body stays what it is; without one it is the address.
func TestAttachments(t *testing.T) {
	oob := func(inner string) string { return "<x xmlns='jabber:x:oob'>" + inner + "</x>" }
	all := perch.Attachment{URL: fileURL, Name: "f.png", Type: "image/png", Size: 70, Width: 2, Height: 3, Description: "a bird"}
	files := func(list ...perch.Attachment) *perch.MessageDetails { return &perch.MessageDetails{Attachments: list} }
	for _, tt := range []struct {
		name, inner string
		want        said
	}{
		{"an address", "<body>look</body>" + oob("<url> "+fileURL+" </url>"), said{Body: "look", Details: files(perch.Attachment{URL: fileURL})}},
		{"a body that is the address", "<body>" + fileURL + "</body>" + oob("<url>"+fileURL+"</url>"), said{Body: fileURL, Details: files(perch.Attachment{URL: fileURL})}},
		{"no body", oob("<url>" + fileURL + "</url><desc>holidays</desc>"), said{Body: fileURL, Subject: "holidays", Details: files(perch.Attachment{URL: fileURL, Description: "holidays"})}},
		{"a shared file", "<body>look</body>" + sharedFile(fileURL), said{Body: "look", Details: files(all)}},
		{"a shared file without a body", sharedFile(fileURL), said{Body: fileURL, Subject: "a bird", Details: files(all)}},
		{"both of one", "<body>" + fileURL + "</body>" + oob("<url>"+fileURL+"</url>") + sharedFile(fileURL), said{Body: fileURL, Details: files(all)}},
		{"both of two", "<body>look</body>" + oob("<url>https://b.test/g</url>") + sharedFile(fileURL), said{Body: "look", Details: files(perch.Attachment{URL: "https://b.test/g"}, all)}},
		{"no address", "<body>look</body>" + oob("<url/>"), said{Body: "look"}},
		{"odd numbers", "<body>look</body>" + strings.NewReplacer(">70<", ">-1<", ">2<", ">99999999999<", ">3<", ">x<").Replace(sharedFile(fileURL)),
			said{Body: "look", Details: files(perch.Attachment{URL: fileURL, Name: "f.png", Type: "image/png", Description: "a bird"})}},
		{"a file that is on no web", "<body>look</body><file-sharing xmlns='urn:xmpp:sfs:0'><sources/></file-sharing>",
			said{Body: "look", Details: &perch.MessageDetails{Payloads: []string{"<file-sharing xmlns='urn:xmpp:sfs:0'><sources/></file-sharing>"}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, saidBy(t, "bo@b.test/x", "chat", tt.inner)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestAttachmentsAreBounded gives the rest as payloads, and says when that has no room either.
func TestAttachmentsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("<body>look</body>")
	for i := range perch.MaxAttachments + perch.MaxPayloads + 1 {
		b.WriteString("<x xmlns='jabber:x:oob'><url>https://b.test/" + strconv.Itoa(i) + "</url></x>")
	}
	d := saidBy(t, "bo@b.test/x", "chat", b.String()).Details
	if d == nil || len(d.Attachments) != perch.MaxAttachments || len(d.Payloads) != perch.MaxPayloads || !d.PayloadsTruncated {
		t.Errorf("got %+v, want %d files, %d payloads and that there were more", d, perch.MaxAttachments, perch.MaxPayloads)
	}
}
