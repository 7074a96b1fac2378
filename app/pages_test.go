package app_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
)

// fetchPage makes a request with headers in pairs, as they are: nothing is asked for or unpacked that the
// test does not name.
func fetchPage(t *testing.T, method, address string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatalf("http.NewRequest: got error %v, want none", err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: got error %v, want none", method, address, err)
	}
	defer answer.Body.Close()
	var body io.Reader = answer.Body
	if answer.Header.Get("Content-Encoding") == "gzip" && method != http.MethodHead {
		if body, err = gzip.NewReader(answer.Body); err != nil {
			t.Fatalf("%s %s: got error %v, want gzip", method, address, err)
		}
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("%s %s: got error %v, want none", method, address, err)
	}
	return answer, string(text)
}

// TestWhatIsCompressed: everything that is the same for everybody, and no answer of the API, whose length
// would say something about the texts in it.
func TestWhatIsCompressed(t *testing.T) {
	url := demo(t).URL()
	for _, path := range []string{"/", "/perch.js", "/docs", "/docs/api", "/docs/api.md", "/docs/ui/swagger-ui-bundle.js", "/v1/openapi.yaml", "/v1/asyncapi.yaml"} {
		packed, text := fetchPage(t, "GET", url+path, "Accept-Encoding", "gzip, deflate")
		plain, whole := fetchPage(t, "GET", url+path, "Accept-Encoding", "gzip;q=0")
		if packed.Header.Get("Content-Encoding") != "gzip" || plain.Header.Get("Content-Encoding") != "" || text != whole {
			t.Errorf("%s: got %q and %q, want gzip and none, and one text", path, packed.Header.Get("Content-Encoding"), plain.Header.Get("Content-Encoding"))
		}
		tag := packed.Header.Get("ETag")
		if vary := strings.Join(packed.Header.Values("Vary"), ", "); !strings.Contains(vary, "Accept-Encoding") || tag == plain.Header.Get("ETag") {
			t.Errorf("%s: got Vary %q and the tag %s twice, want Accept-Encoding and two tags", path, vary, tag)
		}
		if again, _ := fetchPage(t, "GET", url+path, "Accept-Encoding", "gzip", "If-None-Match", tag); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s with its tag: got %d, want 304", path, again.StatusCode)
		}
		head, none := fetchPage(t, "HEAD", url+path, "Accept-Encoding", "gzip")
		if head.StatusCode != 200 || none != "" || head.ContentLength != packed.ContentLength || head.Header.Get("ETag") != tag {
			t.Errorf("HEAD %s: got %d, %d bytes and %s, want 200, %d and %s", path, head.StatusCode, head.ContentLength, head.Header.Get("ETag"), packed.ContentLength, tag)
		}
	}
	for _, path := range []string{"/v1/session", "/v1/buddies", "/v1/conversations", "/v1/presence", "/v1/nowhere"} {
		answer, text := fetchPage(t, "GET", url+path, "Accept-Encoding", "gzip", "Authorization", "Bearer demo-alice")
		if got := answer.Header.Get("Content-Encoding"); got != "" || !strings.HasPrefix(text, "{") {
			t.Errorf("%s: got Content-Encoding %q and %.40q, want plain JSON", path, got, text)
		}
	}
}

// TestAddressesWithoutAPage: a browser gets a page that leads on, a program a problem, and below /v1 both
// the problem.
func TestAddressesWithoutAPage(t *testing.T) {
	url := demo(t).URL()
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, tt := range []struct {
		method, path, accept, want string
	}{
		{"GET", "/nowhere", browser, "text/html; charset=utf-8"},
		{"GET", "/docs/nowhere", browser, "text/html; charset=utf-8"},
		{"GET", "/docs/ui", browser, "text/html; charset=utf-8"},
		{"HEAD", "/nowhere", browser, "text/html; charset=utf-8"},
		{"GET", "/nowhere", "*/*", "application/problem+json"},
		{"GET", "/nowhere", "", "application/problem+json"},
		{"GET", "/docs/nowhere", "application/json", "application/problem+json"},
		{"POST", "/nowhere", browser, "application/problem+json"},
		{"GET", "/v1/nowhere", browser, "application/problem+json"},
		{"GET", "/v1", browser, "application/problem+json"},
		{"GET", "//nowhere", browser, "application/problem+json"},
	} {
		answer, text := fetchPage(t, tt.method, url+tt.path, "Accept", tt.accept)
		if got := answer.Header.Get("Content-Type"); answer.StatusCode != 404 || got != tt.want {
			t.Errorf("%s %s, Accept %q: got %d %s, want 404 %s", tt.method, tt.path, tt.accept, answer.StatusCode, got, tt.want)
		}
		if got := answer.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s %s: got Cache-Control %q, want no-store", tt.method, tt.path, got)
		}
		if html := tt.want != "application/problem+json"; html && tt.method == "GET" && !strings.Contains(text, `href="/docs/api"`) {
			t.Errorf("%s %s: got %.200s, want a page that leads to the guides", tt.method, tt.path, text)
		}
	}
}
