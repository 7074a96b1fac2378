package today_test

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/xmppserver"
	"github.com/perch-im/perch/internal/xmpptest"
	"github.com/perch-im/perch/today"
)

const (
	nsUpload = "urn:xmpp:http:upload:0"
	uploads  = "upload." + today.DefaultDomain
)

func slotRequest(name string, size int, typ string) string {
	if typ != "" {
		typ = " content-type='" + typ + "'"
	}
	return "<request xmlns='" + nsUpload + "' filename='" + name + "' size='" + strconv.Itoa(size) + "'" + typ + "/>"
}

// slot is an address for a file.
func slot(c *xmpptest.Client, name string, size int, typ string) string {
	c.T.Helper()
	n := c.IQ("get", uploads, slotRequest(name, size, typ)).At("slot")
	if n.At("put").Get("url") != n.At("get").Get("url") || n.At("put").Get("url") == "" {
		c.T.Fatalf("slot: got %v, want two addresses", n)
	}
	return n.At("put").Get("url")
}

// web makes a request; headers are each as name: value.
func web(t *testing.T, method, address, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ": ")
		if !ok {
			continue
		}
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
	r.Close = true
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("%s %s: got error %v, want none", method, address, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s: read: got error %v, want none", method, err)
	}
	return res, string(b)
}

func TestUploadService(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann", "a")
	var hosts []string
	for _, i := range ann.IQ("get", s.Domain(), "<query xmlns='http://jabber.org/protocol/disco#items'/>").At("query").Kids {
		hosts = append(hosts, i.Get("jid"))
	}
	if !strings.Contains(strings.Join(hosts, " "), uploads) {
		t.Errorf("got the components %q, want %s among them", hosts, uploads)
	}
	info := ann.IQ("get", uploads, "<query xmlns='"+nsInfo+"'/>").At("query")
	if got := info.At("x").Kids[1]; info.At("identity").Get("category") != "store" || got.Get("var") != "max-file-size" || got.At("value").Text != "16777216" {
		t.Errorf("got %v, want a store of files of at most 16 MiB", info)
	}
	for _, tt := range []struct{ name, kind, to, payload, want string }{
		{"without a name", "get", uploads, slotRequest("", 1, ""), "bad-request"},
		{"a long name", "get", uploads, slotRequest(strings.Repeat("a", 256), 1, ""), "not-acceptable"},
		{"a folder", "get", uploads, slotRequest("..", 1, ""), "not-acceptable"},
		{"less than nothing", "get", uploads, slotRequest("a", -1, ""), "bad-request"},
		{"no type", "get", uploads, slotRequest("a", 1, "a b&#10;c"), "bad-request"},
		{"too large", "get", uploads, slotRequest("a", 16<<20+1, ""), "not-acceptable"},
		{"set", "set", uploads, slotRequest("a", 1, ""), "bad-request"},
		{"a user of it", "get", "a@" + uploads, slotRequest("a", 1, ""), "service-unavailable"},
		{"another request", "get", uploads, "<vCard xmlns='vcard-temp'/>", "service-unavailable"},
		{"ping", "get", uploads, "<ping xmlns='urn:xmpp:ping'/>", ""},
	} {
		if got := ann.IQ(tt.kind, tt.to, tt.payload).Condition(); got != tt.want {
			t.Errorf("%s: got the condition %q, want %q", tt.name, got, tt.want)
		}
	}
	large := ann.IQ("get", uploads, slotRequest("a", 1<<40, "")).At("error", "file-too-large", "max-file-size").Text
	if large != "16777216" {
		t.Errorf("too large: got the limit %q, want 16777216", large)
	}
}

func TestUpload(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann", "a")
	picture := string(xmppserver.Portrait("ann").Data)
	address := slot(ann, "a b/ü.png", len(picture), "image/png")
	if res, _ := web(t, "GET", address, ""); res.StatusCode != http.StatusNotFound {
		t.Errorf("before: got %d, want 404", res.StatusCode)
	}
	for _, tt := range []struct {
		name, body, typ string
		status          int
	}{
		{"a byte more", picture + "x", "image/png", http.StatusRequestEntityTooLarge},
		{"a byte less", picture[1:], "image/png", http.StatusRequestEntityTooLarge},
		{"another type", picture, "text/html", http.StatusUnsupportedMediaType},
		{"as it was said", picture, "image/png", http.StatusCreated},
		{"again", picture, "image/png", http.StatusConflict},
	} {
		if res, text := web(t, "PUT", address, tt.body, "Content-Type: "+tt.typ); res.StatusCode != tt.status || res.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: got %d %q, want %d for any origin", tt.name, res.StatusCode, text, tt.status)
		}
	}
	for _, tt := range []struct {
		method, header, body string
		status               int
	}{
		{"GET", "", picture, http.StatusOK},
		{"HEAD", "", "", http.StatusOK},
		{"GET", "Range: bytes=1-4", picture[1:5], http.StatusPartialContent},
	} {
		res, body := web(t, tt.method, address, "", tt.header)
		if res.StatusCode != tt.status || body != tt.body {
			t.Errorf("%s %s: got %d with %d bytes, want %d with %d", tt.method, tt.header, res.StatusCode, len(body), tt.status, len(tt.body))
		}
		for name, want := range map[string]string{
			"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "*",
			"Content-Disposition": "inline; filename*=utf-8''a%20b%2F%C3%BC.png", "Content-Security-Policy": "default-src 'none'; sandbox",
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s: got %q, want %q", tt.method, name, got, want)
			}
		}
	}
	res, _ := web(t, "OPTIONS", address, "", "Origin: http://localhost:5173", "Access-Control-Request-Method: PUT")
	if got := res.Header.Get("Access-Control-Allow-Methods"); res.StatusCode != http.StatusNoContent || !strings.Contains(got, "PUT") {
		t.Errorf("preflight: got %d and the methods %q, want 204 and PUT", res.StatusCode, got)
	}
	if res, _ := web(t, "GET", address, "", "Host: evil.example"); res.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("by another name: got %d, want 421", res.StatusCode)
	}
}

func TestUploadTypes(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann", "a")
	for _, tt := range []struct{ asked, sent, typ, disposition string }{
		{"text/html", "text/html; charset=utf-8", "", ""},
		{"text/html", "text/html", "text/html", "attachment; filename=f"},
		{"image/svg+xml", "", "image/svg+xml", "attachment; filename=f"},
		{"", "image/gif", "image/gif", "inline; filename=f"},
		{"", "no type", "application/octet-stream", "attachment; filename=f"},
		{"audio/ogg; codecs=opus", "audio/ogg;codecs=opus", "audio/ogg; codecs=opus", "inline; filename=f"},
	} {
		address := slot(ann, "f", 1, tt.asked)
		headers := []string{"Content-Type: " + tt.sent}
		if tt.sent == "" {
			headers = nil
		}
		if res, _ := web(t, "PUT", address, "x", headers...); (res.StatusCode == http.StatusCreated) != (tt.typ != "") {
			t.Errorf("%q as %q: got %d, want it taken %v", tt.asked, tt.sent, res.StatusCode, tt.typ != "")
		}
		res, _ := web(t, "GET", address, "")
		if tt.typ != "" && (res.Header.Get("Content-Type") != tt.typ || res.Header.Get("Content-Disposition") != tt.disposition) {
			t.Errorf("%q as %q: got %q, %q, want %q, %q", tt.asked, tt.sent, res.Header.Get("Content-Type"), res.Header.Get("Content-Disposition"), tt.typ, tt.disposition)
		}
	}
}

// TestUploadBroken: a file that did not come as a whole can be sent again.
func TestUploadBroken(t *testing.T) {
	s := start(t, world())
	address := slot(online(t, s, "ann", "a"), "f", 100, "")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, address, io.LimitReader(bytes.NewReader(make([]byte, 50)), 50))
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	r.ContentLength = 100
	if res, err := http.DefaultClient.Do(r); err == nil {
		res.Body.Close()
		t.Errorf("half a file: got %d, want an error", res.StatusCode)
	}
	res, text := web(t, "PUT", address, strings.Repeat("x", 100))
	for begin := time.Now(); res.StatusCode == http.StatusConflict && time.Since(begin) < 10*time.Second; { // the first one is on its way still
		res, text = web(t, "PUT", address, strings.Repeat("x", 100))
	}
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("again: got %d %q, want 201", res.StatusCode, text)
	}
}

func TestUploadSlotsAreBounded(t *testing.T) {
	s := start(t, world())
	ann, ben := online(t, s, "ann", "a"), online(t, s, "ben", "b")
	for range 20 {
		slot(ann, "f", 1, "")
	}
	n := ann.IQ("get", uploads, slotRequest("f", 1, ""))
	if n.Condition() != "resource-constraint" || n.At("error", "retry").Get("stamp") == "" {
		t.Errorf("one more: got %v, want resource-constraint with a time", n)
	}
	slot(ben, "f", 1, "")
}
