package stanza

import (
	"cmp"
	"strconv"
	"strings"
	"unicode"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// outOfBand reads the address of a file (XEP-0066, 3).
func (x *extras) outOfBand(el *xmlstream.Borrowed) bool {
	url := el.Child(nsOOB, "url").InnerText()
	if !el.Local().Is("x") || url.Empty() {
		return true
	}
	return x.attach(url, perch.Attachment{Description: el.Child(nsOOB, "desc").InnerText().Copy()})
}

// fileSharing reads XEP-0447 with the description of XEP-0446. A file that has no address on the
// web is left to clients that can fetch it.
func (x *extras) fileSharing(el *xmlstream.Borrowed) bool {
	url := el.Child(nsFileSharing, "sources").Child(nsURLData, "url-data").Attr("target")
	if !el.Local().Is("file-sharing") || url.Empty() {
		return false
	}
	file := el.Child(nsFileMetadata, "file")
	text := func(name string) xmlstream.Text { return file.Child(nsFileMetadata, name).InnerText() }
	return x.attach(url, perch.Attachment{
		Name: text("name").Copy(), Type: text("media-type").Copy(), Description: text("desc").Copy(),
		Size: countOf(text("size"), 63), Width: int(countOf(text("width"), 31)), Height: int(countOf(text("height"), 31)),
	})
}

// countOf reads a number of so many bits; 0 for anything else.
func countOf(t xmlstream.Text, bits int) int64 {
	n, err := strconv.ParseUint(t.Peek(), 10, bits)
	if err != nil {
		return 0
	}
	return int64(n)
}

// attach adds a file, or what else is said of one that is there. It reports whether there was room.
func (x *extras) attach(url xmlstream.Text, a perch.Attachment) bool {
	d := x.more()
	for i := range d.Attachments {
		if f := &d.Attachments[i]; url.Is(f.URL) {
			f.Name, f.Type, f.Description = cmp.Or(f.Name, a.Name), cmp.Or(f.Type, a.Type), cmp.Or(f.Description, a.Description)
			f.Size, f.Width, f.Height = cmp.Or(f.Size, a.Size), cmp.Or(f.Width, a.Width), cmp.Or(f.Height, a.Height)
			return true
		}
	}
	if len(d.Attachments) >= perch.MaxAttachments {
		return false
	}
	a.URL = url.Copy()
	d.Attachments = append(d.Attachments, a)
	return true
}

// fileBody is the body of a message that has files and no words: clients that know of no files show
// the address, and some show the file only where the body is the address and nothing else. It stays
// in the body of what is received, too; a client that shows files need not show it.
func fileBody(list []perch.Attachment) string {
	urls := make([]string, 0, len(list))
	for _, a := range list {
		urls = append(urls, a.URL)
	}
	return strings.Join(urls, "\n")
}

// attachments writes the address of each file, and what is known of it.
func (w *writer) attachments(list []perch.Attachment) {
	if len(list) > perch.MaxAttachments {
		w.fail("/attachments", "at most %d are allowed", perch.MaxAttachments)
	}
	for i := range list {
		a, field := &list[i], "/attachments/"+strconv.Itoa(i)
		if a.URL == "" || strings.ContainsFunc(a.URL, unicode.IsSpace) {
			w.fail(field+"/url", "the address of the file is required, without white space")
		}
		w.Raw("<x xmlns='" + nsOOB + "'>")
		w.Element(field+"/url", "url", a.URL)
		w.Element(field+"/description", "desc", a.Description)
		w.Raw("</x>")
		if a.Name != "" || a.Type != "" || a.Size > 0 || a.Width > 0 || a.Height > 0 {
			w.fileSharing(field, a)
		}
	}
}

func (w *writer) fileSharing(field string, a *perch.Attachment) {
	w.Raw("<file-sharing xmlns='" + nsFileSharing + "' disposition='inline'><file xmlns='" + nsFileMetadata + "'>")
	w.Element(field+"/type", "media-type", a.Type)
	w.Element(field+"/name", "name", a.Name)
	w.Element(field+"/description", "desc", a.Description)
	for _, n := range []struct {
		name  string
		value int64
	}{{"size", a.Size}, {"width", int64(a.Width)}, {"height", int64(a.Height)}} {
		if n.value > 0 {
			w.Element(field, n.name, strconv.FormatInt(n.value, 10))
		}
	}
	w.Raw("</file><sources><url-data xmlns='" + nsURLData + "'")
	w.Attr(field+"/url", "target", a.URL)
	w.Raw("/></sources></file-sharing>")
}
