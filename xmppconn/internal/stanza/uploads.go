package stanza

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const nsUpload = "urn:xmpp:http:upload:0"

// What is taken of one slot. No service needs half as much.
const (
	maxSlotURL         = 4 << 10
	maxSlotHeaderBytes = 8 << 10
)

// ParseUploadService reads the answer of an upload service to EncodeDiscoInfo (XEP-0363, 4); ok is
// false for what takes no files. The form with the limit is there once for each version of the protocol.
func ParseUploadService(payload *xmlstream.Element) (maxSize int64, ok bool) {
	if !HasFeature(payload, nsUpload) {
		return 0, false
	}
	for _, c := range payload.Children() {
		if !c.Is(nsForms, "x") {
			continue
		}
		f, err := parseForm(c)
		if err == nil && f.field(formTypeField).text() == nsUpload {
			return sizeOf(f.field("max-file-size").text()), true
		}
	}
	return 0, true
}

// sizeOf reads a number of bytes; 0 for anything else.
func sizeOf(text string) int64 {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 63)
	if err != nil {
		return 0
	}
	return int64(n)
}

// EncodeSlotRequest asks for a slot (XEP-0363, 5).
func EncodeSlotRequest(f perch.UploadFile) ([]byte, error) {
	var w writer
	w.Raw("<request xmlns='" + nsUpload + "'")
	if f.Name == "" {
		w.fail("/name", "is required")
	}
	if f.Size < 0 {
		w.fail("/size", "must not be negative")
	}
	w.Attr("/name", "filename", f.Name)
	w.Attr("/size", "size", strconv.FormatInt(f.Size, 10))
	if f.Type != "" {
		w.Attr("/type", "content-type", f.Type)
	}
	w.Raw("/>")
	return w.Result()
}

// ParseSlot reads the answer to EncodeSlotRequest. Its addresses are of the web, absolute and without
// user or fragment; of the headers those are left that a service may ask for, without line breaks.
func ParseSlot(payload *xmlstream.Element) (perch.UploadSlot, error) {
	put, get := payload.Child(nsUpload, "put"), payload.Child(nsUpload, "get")
	if !payload.Is(nsUpload, "slot") || put == nil || get == nil {
		return perch.UploadSlot{}, perch.Errorf(perch.KindXMPP, "the upload service sent no slot")
	}
	to, ok := webAddress(put.Attr("url"))
	from, readable := webAddress(get.Attr("url"))
	if !ok || !readable {
		return perch.UploadSlot{}, perch.Errorf(perch.KindXMPP, "the upload service sent a slot whose address is none of the web")
	}
	slot := perch.UploadSlot{Put: perch.NewSecret(to), Get: from}
	bytes := 0
	for _, c := range put.Children() {
		name, allowed := slotHeaders[strings.ToLower(withoutBreaks(c.Attr("name")))]
		if !c.Is(nsUpload, "header") || !allowed {
			continue
		}
		value := strings.Clone(strings.TrimSpace(withoutBreaks(c.Text())))
		if !fieldValue(value) {
			continue
		}
		slot.Headers = addHeader(slot.Headers, name, value)
		if bytes += len(value); bytes > maxSlotHeaderBytes {
			return perch.UploadSlot{}, perch.Wrap(perch.KindXMPP, perch.ErrAnswerTooLarge, "the slot exceeds the limits of this gateway")
		}
	}
	return slot, nil
}

// addHeader adds a header, each of which is there once: of cookies there may be many, of the others the
// first counts.
func addHeader(list []perch.UploadHeader, name, value string) []perch.UploadHeader {
	for i, h := range list {
		if h.Name == name {
			if name == "Cookie" {
				list[i].Value = perch.NewSecret(h.Value.Reveal() + "; " + value)
			}
			return list
		}
	}
	return append(list, perch.UploadHeader{Name: name, Value: perch.NewSecret(value)})
}

// slotHeaders are the headers that a slot may have (XEP-0363, 5).
var slotHeaders = map[string]string{"authorization": "Authorization", "cookie": "Cookie", "expires": "Expires"}

// withoutBreaks strips what would begin another header (XEP-0363, 5).
func withoutBreaks(s string) string {
	return strings.NewReplacer("\r", "", "\n", "").Replace(s)
}

// fieldValue reports whether a text can be the value of a header (RFC 9110, 5.5), in ASCII.
func fieldValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return s != ""
}

// webAddress reads an absolute address of the web, and writes it as a request line has it.
func webAddress(text string) (string, bool) {
	if len(text) > maxSlotURL || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "", false
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return "", false
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", false
		}
	}
	s := u.String()
	return strings.Clone(s), len(s) <= maxSlotURL
}

// SlotRefusal is what an upload service says beside the condition of its error (XEP-0363, 6).
type SlotRefusal struct {
	TooLarge bool
	MaxSize  int64      // in bytes; 0: not said
	Retry    perch.Time // when there is a quota again; 0: not said
}

// Error says what was refused.
func (r *SlotRefusal) Error() string {
	if r.TooLarge {
		return "the file is too large for the upload service"
	}
	return "the upload service has no quota left"
}

// parseSlotRefusal reads the error of an IQ; nil, when it is about something else.
func parseSlotRefusal(el *xmlstream.Element) error {
	el = el.Child(nsClient, "error")
	if large := el.Child(nsUpload, "file-too-large"); large != nil {
		return &SlotRefusal{TooLarge: true, MaxSize: sizeOf(large.ChildText(nsUpload, "max-file-size"))}
	}
	if retry := el.Child(nsUpload, "retry"); retry != nil {
		return &SlotRefusal{Retry: parseTime(retry.Attr("stamp"))}
	}
	return nil
}
