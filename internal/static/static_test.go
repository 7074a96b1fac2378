package static_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/static"
)

var text = strings.Repeat("Perch holds long-lived sessions. ", 40)

// serve asks a file by a method, with headers in pairs.
func serve(t *testing.T, h http.Handler, method string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/x", nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// packed is what gzip makes of a text.
func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	if _, err := io.WriteString(zip, text); err != nil {
		t.Fatalf("gzip: got error %v, want none", err)
	}
	if err := zip.Close(); err != nil {
		t.Fatalf("gzip: got error %v, want none", err)
	}
	return b.Bytes()
}

// unpacked undoes the content coding of an answer.
func unpacked(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if w.Header().Get("Content-Encoding") != "gzip" {
		return w.Body.String()
	}
	zip, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatalf("gzip.NewReader: got error %v, want none", err)
	}
	body, err := io.ReadAll(zip)
	if err != nil {
		t.Fatalf("io.ReadAll: got error %v, want none", err)
	}
	return string(body)
}

// both are a file that was compressed here, and one that was before.
func both(t *testing.T) map[string]*static.File {
	t.Helper()
	before, err := static.Packed(packed(t, text), "text/plain")
	if err != nil {
		t.Fatalf("Packed: got error %v, want none", err)
	}
	return map[string]*static.File{"New": static.New([]byte(text), "text/plain"), "Packed": before}
}

// TestNegotiation: who takes gzip gets it, who refuses it or says nothing does not (RFC 9110, 12.5.3).
func TestNegotiation(t *testing.T) {
	for name, f := range both(t) {
		for accept, want := range map[string]string{
			"gzip": "gzip", "br, GZIP": "gzip", "x-gzip": "gzip", "gzip;q=0.5": "gzip", "gzip; q=1.0, identity; q=0.5": "gzip", "*": "gzip", "br;q=1, *;q=0.1": "gzip", "gzip, x-gzip;q=0": "gzip", "x-gzip;q=0, gzip": "gzip",
			"": "", "identity": "", "br": "", "gzip;q=0": "", "gzip; Q=0.000, *": "", "*;q=0": "", "gzip;q=0.2, identity": "", "gzip;q=2": "", "gzip;q=x": "", "gzip;q=NaN": "", "gzipped": "", "gzip;q=0, x-gzip": "", "x-gzip, gzip;q=0": "", "x-gzip;q=0, *": "",
		} {
			w := serve(t, f, http.MethodGet, "Accept-Encoding", accept)
			if got := w.Header().Get("Content-Encoding"); got != want || w.Header().Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s, Accept-Encoding %q: got %q and Vary %q, want %q and Accept-Encoding", name, accept, got, w.Header().Get("Vary"), want)
			}
			if length := w.Header().Get("Content-Length"); length != strconv.Itoa(w.Body.Len()) {
				t.Errorf("%s, Accept-Encoding %q: got Content-Length %s, want %d", name, accept, length, w.Body.Len())
			}
			if got := unpacked(t, w); got != text {
				t.Errorf("%s, Accept-Encoding %q: got %q, want %q", name, accept, got, text)
			}
		}
	}
}

// TestTags: each representation has a tag of its own, which is answered by 304 for it alone.
func TestTags(t *testing.T) {
	for name, f := range both(t) {
		zipped := serve(t, f, http.MethodGet, "Accept-Encoding", "gzip").Header().Get("ETag")
		plain := serve(t, f, http.MethodGet).Header().Get("ETag")
		if zipped == plain || zipped == "" || plain == "" {
			t.Fatalf("%s: got the tags %s and %s, want two", name, zipped, plain)
		}
		for _, tc := range []struct {
			accept, tags string
			want         int
		}{
			{"gzip", zipped, 304},
			{"", plain, 304},
			{"", `"other", W/` + plain, 304},
			{"", "*", 304},
			{"gzip", plain, 200},
			{"", zipped, 200},
			{"", strings.Trim(plain, `"`), 200},
			{"", "", 200},
		} {
			w := serve(t, f, http.MethodGet, "Accept-Encoding", tc.accept, "If-None-Match", tc.tags)
			if w.Code != tc.want || (w.Body.Len() == 0) != (tc.want == 304) {
				t.Errorf("%s, %q with If-None-Match %s: got %d and %d bytes, want %d", name, tc.accept, tc.tags, w.Code, w.Body.Len(), tc.want)
			}
			if w.Code == 304 && (w.Header().Get("Content-Encoding") != "" || w.Header().Get("Vary") == "" || w.Header().Get("ETag") == "") {
				t.Errorf("%s: 304 has %v, want ETag and Vary, and no Content-Encoding", name, w.Header())
			}
		}
	}
}

// TestHead: HEAD has the headers of GET, and no body.
func TestHead(t *testing.T) {
	for name, f := range both(t) {
		for _, accept := range []string{"gzip", ""} {
			get, head := serve(t, f, http.MethodGet, "Accept-Encoding", accept), serve(t, f, http.MethodHead, "Accept-Encoding", accept)
			if head.Body.Len() != 0 || head.Code != 200 {
				t.Errorf("%s: HEAD: got %d and %d bytes, want 200 and none", name, head.Code, head.Body.Len())
			}
			for key := range get.Header() {
				if got, want := head.Header().Get(key), get.Header().Get(key); got != want {
					t.Errorf("%s: HEAD: got %s: %s, want %s", name, key, got, want)
				}
			}
		}
	}
}

// TestSmallFilesAreSentAsTheyAre: what gzip makes larger is not compressed, and does not vary.
func TestSmallFilesAreSentAsTheyAre(t *testing.T) {
	w := serve(t, static.New([]byte("ok"), "text/plain"), http.MethodGet, "Accept-Encoding", "gzip")
	if w.Body.String() != "ok" || w.Header().Get("Content-Encoding") != "" || w.Header().Get("Vary") != "" {
		t.Errorf("got %q %v, want the plain text, without Vary", w.Body, w.Header())
	}
}

// TestErrorsHaveNoTag: 304 would say that the page of an error is a representation of the address.
func TestErrorsHaveNoTag(t *testing.T) {
	f := static.New([]byte(text), "text/html")
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.ServeError(w, r, http.StatusNotFound) })
	w := serve(t, h, http.MethodGet, "Accept-Encoding", "gzip", "If-None-Match", "*")
	if w.Code != 404 || w.Header().Get("ETag") != "" || unpacked(t, w) != text {
		t.Errorf("got %d %v, want 404 with the page and without ETag", w.Code, w.Header())
	}
}

// TestPackedRefuses what is no gzip, and what breaks off.
func TestPackedRefuses(t *testing.T) {
	whole := packed(t, text)
	for name, body := range map[string][]byte{"empty": nil, "text": []byte(text), "half": whole[:len(whole)/2]} {
		if _, err := static.Packed(body, "text/plain"); err == nil {
			t.Errorf("%s: got no error, want one", name)
		}
	}
}

// TestWantsHTML: a browser gets a page, and a program JSON.
func TestWantsHTML(t *testing.T) {
	for accept, want := range map[string]bool{
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": true,
		"text/html": true, "TEXT/HTML; charset=utf-8": true, "application/json;q=0.5, text/html": true,
		"": false, "*/*": false, "application/json": false, "text/html;q=0, */*": false, "text/*": false,
		"application/json, text/html;q=0.9": false, "application/problem+json, text/html;q=0.1": false,
	} {
		if got := static.WantsHTML(http.Header{"Accept": {accept}}); got != want {
			t.Errorf("Accept %q: got %v, want %v", accept, got, want)
		}
	}
}

// FuzzHeaders: whatever a client sends, it gets the text, 304, or a page.
func FuzzHeaders(f *testing.F) {
	f.Add("gzip;q=0.5, *;q=0", `W/"x", *`, "text/html;q=1")
	f.Add(";;,=;q=,q", `""`, ",")
	file := static.New([]byte(text), "text/plain")
	f.Fuzz(func(t *testing.T, encoding, tags, accept string) {
		w := serve(t, file, http.MethodGet, "Accept-Encoding", encoding, "If-None-Match", tags)
		if w.Code == 200 && unpacked(t, w) != text || w.Code != 200 && w.Code != 304 {
			t.Errorf("Accept-Encoding %q, If-None-Match %q: got %d, want the text or 304", encoding, tags, w.Code)
		}
		static.WantsHTML(http.Header{"Accept": {accept}})
	})
}
