package stanza_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const (
	nsUpload   = "urn:xmpp:http:upload:0"
	uploadInfo = "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='store' type='file'/><feature var='" + nsUpload + "'/>"
	// What ejabberd 23.01 sends: a form for each version of the protocol.
	ejabberdUploadInfo = uploadInfo + "<x type='result' xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:http:upload</value></field><field var='max-file-size'><value>7</value></field></x>" +
		"<x type='result' xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'><value>" + nsUpload + "</value></field><field var='max-file-size' type='text-single'><value>1048576</value></field></x></query>"
)

// uploadForm is an upload service with one limit.
func uploadForm(limit string) string {
	return uploadInfo + "<x type='result' xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'><value>" + nsUpload + "</value></field><field var='max-file-size'><value>" + limit + "</value></field></x></query>"
}

// TestUploadService reads whether a service takes files, and of which size.
func TestUploadService(t *testing.T) {
	for name, tc := range map[string]struct {
		raw  string
		size int64
		ok   bool
	}{
		"prosody":          {uploadForm("10485760"), 10485760, true},
		"ejabberd":         {ejabberdUploadInfo, 1048576, true},
		"with blanks":      {uploadForm(" 12 "), 12, true},
		"no number":        {uploadForm("big"), 0, true},
		"negative":         {uploadForm("-1"), 0, true},
		"no int64":         {uploadForm("9223372036854775808"), 0, true},
		"no form":          {uploadInfo + "</query>", 0, true},
		"another service":  {"<query xmlns='http://jabber.org/protocol/disco#info'><feature var='http://jabber.org/protocol/muc'/></query>", 0, false},
		"an old one alone": {"<query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:http:upload'/></query>", 0, false},
		"no answer to it":  {"<query xmlns='jabber:iq:roster'/>", 0, false},
	} {
		size, ok := stanza.ParseUploadService(streamtest.Parse(t, tc.raw))
		if size != tc.size || ok != tc.ok {
			t.Errorf("%s: got %d, %v, want %d, %v", name, size, ok, tc.size, tc.ok)
		}
	}
}

// TestSlotRequest writes a request, and nothing that XML cannot have.
func TestSlotRequest(t *testing.T) {
	got, err := stanza.EncodeSlotRequest(perch.UploadFile{Name: "très <cool>.jpg", Size: 23456, Type: "image/jpeg"})
	want := "<request xmlns='urn:xmpp:http:upload:0' filename='très &lt;cool&gt;.jpg' size='23456' content-type='image/jpeg'/>"
	if string(got) != want || err != nil {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	got, err = stanza.EncodeSlotRequest(perch.UploadFile{Name: "a"})
	if want := "<request xmlns='urn:xmpp:http:upload:0' filename='a' size='0'/>"; string(got) != want || err != nil {
		t.Errorf("without a type: got %s, %v, want %s", got, err, want)
	}
	for pointer, f := range map[string]perch.UploadFile{"/name": {Name: ""}, "/size": {Name: "a", Size: -1}, "/type": {Name: "a", Type: "a\x00"}} {
		_, err := stanza.EncodeSlotRequest(f)
		if e, ok := errors.AsType[*perch.Error](err); !ok || e.Kind != perch.KindValidation || e.Fields[0].Pointer != pointer {
			t.Errorf("%+v: got error %v, want one about %s", f, err, pointer)
		}
	}
}

// slotOf is an answer with a slot.
func slotOf(put, headers, get string) string {
	return "<slot xmlns='" + nsUpload + "'><put url='" + put + "'>" + headers + "</put><get url='" + get + "'/></slot>"
}

// TestSlot reads a slot; of its headers only three names are taken, and no line break.
func TestSlot(t *testing.T) {
	const at = "https://up.test/d/cat.png"
	for name, tc := range map[string]struct {
		raw     string
		put     string
		headers []string
	}{
		"plain":        {slotOf(at, "", at), at, nil},
		"with headers": {slotOf(at, "<header name='Authorization'>Basic Zm9v</header><header name='Expires'>never</header>", at), at, []string{"Authorization: Basic Zm9v", "Expires: never"}},
		"other names":  {slotOf(at, "<header name='Host'>inside</header><header name='X-A'>1</header><header name='Content-Length'>9</header><header name='cookie'>a=b</header>", at), at, []string{"Cookie: a=b"}},
		"line breaks":  {slotOf(at, "<header name='Autho&#10;rization'>a&#13;&#10;Host: inside</header>", at), at, []string{"Authorization: aHost: inside"}},
		"two of each":  {slotOf(at, "<header name='Cookie'>a=b</header><header name='Expires'>1</header><header name='Cookie'>c=d</header><header name='expires'>2</header>", at), at, []string{"Cookie: a=b; c=d", "Expires: 1"}},
		"not ASCII":    {slotOf(at, "<header name='Authorization'>é</header>", at), at, nil},
		"no value":     {slotOf(at, "<header name='Authorization'> </header>", at), at, nil},
		"not escaped":  {slotOf("https://up.test/é", "", at), "https://up.test/%C3%A9", nil},
		"http":         {slotOf("http://127.0.0.1:5280/x?y=z", "", at), "http://127.0.0.1:5280/x?y=z", nil},
	} {
		got, err := stanza.ParseSlot(streamtest.Parse(t, tc.raw))
		var headers []string
		for _, h := range got.Headers {
			headers = append(headers, h.Name+": "+h.Value.Reveal())
		}
		if err != nil || got.Put.Reveal() != tc.put || got.Get != at || !slices.Equal(headers, tc.headers) {
			t.Errorf("%s: got %s, %s, %v, %v, want %s, %s, %v", name, got.Put.Reveal(), got.Get, headers, err, tc.put, at, tc.headers)
		}
	}
}

// TestSlotRefused: what is no slot, or leads elsewhere than the web, is none.
func TestSlotRefused(t *testing.T) {
	const at = "https://up.test/a"
	for name, raw := range map[string]string{
		"no slot": "<query xmlns='" + nsUpload + "'/>", "no put": "<slot xmlns='" + nsUpload + "'><get url='" + at + "'/></slot>", "no get": "<slot xmlns='" + nsUpload + "'><put url='" + at + "'/></slot>",
		"a script": slotOf("javascript:alert(1)", "", at), "a file": slotOf("file:///etc/passwd", "", at), "relative": slotOf("/a", "", at),
		"to get a script": slotOf(at, "", "javascript:alert(1)"), "a user": slotOf("https://a:b@up.test/", "", at), "no host": slotOf("https:///a", "", at),
		"only a port": slotOf("https://:443/a", "", at), "port 0": slotOf("https://up.test:0/", "", at), "a large port": slotOf("https://up.test:65536/", "", at),
		"a blank": slotOf("https://up.test/a b", "", at), "a line break": slotOf("https://up.test/a&#10;b", "", at), "a fragment": slotOf("https://up.test/a#b", "", at),
		"opaque": slotOf("https:up.test", "", at), "long": slotOf("https://up.test/"+strings.Repeat("a", 4096), "", at), "long when escaped": slotOf("https://up.test/"+strings.Repeat("é", 1000), "", at),
		"large headers": slotOf(at, "<header name='Authorization'>"+strings.Repeat("a", 8193)+"</header>", at),
		"many headers":  slotOf(at, strings.Repeat("<header name='Cookie'>"+strings.Repeat("a", 1000)+"</header>", 9), at),
	} {
		if got, err := stanza.ParseSlot(streamtest.Parse(t, raw)); perch.KindOf(err) != perch.KindXMPP {
			t.Errorf("%s: got %+v, error %v, want one of kind %s", name, got, err, perch.KindXMPP)
		}
	}
}

// TestSlotRefusal reads what a service says beside the condition of its error.
func TestSlotRefusal(t *testing.T) {
	refused := func(condition, more string) string {
		return "<iq type='error' id='1' from='up.test'><request xmlns='" + nsUpload + "' filename='a' size='9'/><error type='modify'><" + condition + " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>no</text>" + more + "</error></iq>"
	}
	stamp := perch.Time(1512344525000)
	for name, tc := range map[string]struct {
		raw  string
		want *stanza.SlotRefusal
	}{
		"too large":     {refused("not-acceptable", "<file-too-large xmlns='"+nsUpload+"'><max-file-size>20000</max-file-size></file-too-large>"), &stanza.SlotRefusal{TooLarge: true, MaxSize: 20000}},
		"without limit": {refused("not-acceptable", "<file-too-large xmlns='"+nsUpload+"'/>"), &stanza.SlotRefusal{TooLarge: true}},
		"quota":         {refused("resource-constraint", "<retry xmlns='"+nsUpload+"' stamp='2017-12-03T23:42:05Z'/>"), &stanza.SlotRefusal{Retry: stamp}},
		"no stamp":      {refused("resource-constraint", "<retry xmlns='"+nsUpload+"'/>"), &stanza.SlotRefusal{}},
		"of another":    {refused("not-acceptable", "<file-too-large xmlns='jabber:x:other'/>"), nil},
		"nothing more":  {refused("forbidden", ""), nil},
	} {
		q, ok := stanza.ParseIQ(streamtest.Parse(t, tc.raw))
		got, _ := errors.AsType[*stanza.SlotRefusal](q.Cause)
		if diff := cmp.Diff(tc.want, got); diff != "" || !ok || q.Err == nil || q.Err.Text != "no" {
			t.Errorf("%s: got %+v, %+v, want %+v", name, q, got, tc.want)
		}
	}
}

// FuzzUploadService reads anything as the answer of an upload service.
func FuzzUploadService(f *testing.F) {
	for _, raw := range []string{uploadForm("1"), ejabberdUploadInfo, uploadForm("-5")} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if el := anyElement(raw); el != nil {
			if size, ok := stanza.ParseUploadService(el); size < 0 || size > 0 && !ok {
				t.Errorf("got %d, %v, want no limit below 0, and none of what is no service", size, ok)
			}
		}
	})
}

// FuzzSlot reads anything as a slot: what comes out can be asked for by HTTP.
func FuzzSlot(f *testing.F) {
	f.Add([]byte(slotOf("https://up.test/a", "<header name='Cookie'>a=b</header>", "https://up.test/a")))
	f.Add([]byte(slotOf("http://[::1]:8/%2f?a=b", "<header name='EXPIRES'>&#13;</header>", "https://ü.test/é")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		el := anyElement(raw)
		if el == nil {
			return
		}
		slot, err := stanza.ParseSlot(el)
		if err != nil {
			return
		}
		for _, text := range []string{slot.Put.Reveal(), slot.Get} {
			u, err := url.Parse(text)
			if err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(text, " \r\n\t") {
				t.Errorf("got address %q, %v, want one of the web", text, err)
			}
		}
		for _, h := range slot.Headers {
			if !slices.Contains([]string{"Authorization", "Cookie", "Expires"}, h.Name) || h.Value.IsZero() || strings.ContainsAny(h.Value.Reveal(), "\r\n\x00") {
				t.Errorf("got header %q: %q, want one of three, of one line", h.Name, h.Value.Reveal())
			}
		}
	})
}

// anyElement is the first element of raw, or nil.
func anyElement(raw []byte) *xmlstream.Element {
	fr, el, ok := firstFrame(raw)
	if ok {
		fr.Release()
	}
	return el
}
