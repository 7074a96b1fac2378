package docs_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/perch-im/perch/docs"
)

func get(t *testing.T, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	docs.Handler().ServeHTTP(w, r)
	return w
}

func TestPageNamesEverything(t *testing.T) {
	w := get(t, "/docs")
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("got %d %v, want 200 and %q", w.Code, w.Header(), "text/html; charset=utf-8")
	}
	guides, err := filepath.Glob("*.md")
	if err != nil || len(guides) < 2 {
		t.Fatalf("guides: %v, %v, want no error and at least 2", guides, err)
	}
	page := w.Body.String()
	for i, name := range guides {
		guides[i] = `"/docs/` + strings.TrimSuffix(name, ".md") + `"`
	}
	for _, want := range append(guides, "/v1/openapi.yaml", "/v1/asyncapi.yaml") {
		if !strings.Contains(page, want) {
			t.Errorf("/docs does not lead to %s, want %q in it", want, want)
		}
	}
	// Whatever the page itself asks for must be there, and must not be elsewhere.
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		switch link := m[1]; {
		case link == "/" || link == "data:," || link == "#content" || strings.HasPrefix(link, "/v1/"):
		case !strings.HasPrefix(link, "/docs"):
			t.Errorf("%s is not on this host, want %q at its beginning", link, "/docs")
		case get(t, link).Code != 200:
			t.Errorf("%s is not there, want 200", link)
		}
	}
	if strings.Contains(page, "<script>") || strings.Contains(page, "style=") {
		t.Errorf("the policy of the page forbids inline programs and styles, want no %q in it and no %q in it", "<script>", "style=")
	}
	if got := get(t, "/docs/"); got.Body.String() != page {
		t.Error("/docs/ is another page, want that of /docs")
	}
}

func TestGuidesAreReadable(t *testing.T) {
	w := get(t, "/docs/architecture.md")
	want, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" || !bytes.Equal(w.Body.Bytes(), want) {
		t.Errorf("got %d %v, want 200 and %q and %v", w.Code, w.Header(), "text/plain; charset=utf-8", want)
	}
}

// TestProgram knows what was vendored; see ui/README.md.
func TestProgram(t *testing.T) {
	for name, want := range map[string]string{
		"swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
		"swagger-ui.css":       "a6a4cf68f069eb89984d5d43644e6a812e749df08d2b1320c6e06e6973847d10",
	} {
		w := get(t, "/docs/ui/"+name, "Accept-Encoding", "gzip, br")
		if w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Fatalf("%s: got %v, want %q and %q", name, w.Header(), "gzip", "Accept-Encoding")
		}
		packed, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatalf("gzip.NewReader: got error %v, want none", err)
		}
		content, err := io.ReadAll(packed)
		if err != nil {
			t.Fatalf("io.ReadAll: got error %v, want none", err)
		}
		sum := sha256.Sum256(content)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s has the sum %s, want %v", name, got, want)
		}
		if plain := get(t, "/docs/ui/"+name); plain.Header().Get("Content-Encoding") != "" || !bytes.Equal(plain.Body.Bytes(), content) {
			t.Errorf("%s is another file without gzip, want the same", name)
		}
	}
}

func TestHeaders(t *testing.T) {
	w := get(t, "/docs")
	csp := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "connect-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy %q lacks %s, want %q in it", csp, want, want)
		}
	}
	again := get(t, "/docs", "If-None-Match", w.Header().Get("ETag"))
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("%d with the same ETag, want %d and 0", again.Code, http.StatusNotModified)
	}
}

func TestUnknownPagesAreNotFound(t *testing.T) {
	for _, path := range []string{"/", "/docs/nothing", "/docs/ui", "/docs/../docs.go", "/docs/docs.go", "/docs/index.html", "/docs/pages/guide.html", "/docs/ui/swagger-ui.css.gz"} {
		if w := get(t, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: got %d, want %d", path, w.Code, http.StatusNotFound)
		}
	}
}
