package docs_test

import (
	"html"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// guides are the names of the guides, without .md.
func guides(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*.md")
	if err != nil || len(names) < 10 {
		t.Fatalf("guides: got %v, error %v, want 10 or more", names, err)
	}
	for i, name := range names {
		names[i] = strings.TrimSuffix(name, ".md")
	}
	return names
}

var (
	titles = regexp.MustCompile(`<title>([^<]+) · Perch</title>`)
	ids    = regexp.MustCompile(` id="([^"]+)"`)
	links  = regexp.MustCompile(`href="([^"]+)"`)
)

// TestGuidesArePages: each guide is a page with its first heading as the title.
func TestGuidesArePages(t *testing.T) {
	for _, name := range guides(t) {
		w := get(t, "/docs/"+name)
		page := w.Body.String()
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
			t.Fatalf("%s: got %d %v, want a page", name, w.Code, w.Header())
		}
		text, err := os.ReadFile(name + ".md")
		if err != nil {
			t.Fatalf("os.ReadFile: got error %v, want none", err)
		}
		heading, _, _ := strings.Cut(strings.TrimPrefix(string(text), "# "), "\n")
		if m := titles.FindStringSubmatch(page); m == nil || html.UnescapeString(m[1]) != heading || strings.Count(page, "<h1") != 1 {
			t.Errorf("%s: got the title %q and %d first headings, want %q and one", name, m, strings.Count(page, "<h1"), heading)
		}
		if tables := strings.Count(string(text), "\n|--"); strings.Count(page, "<table>") < tables {
			t.Errorf("%s: got %d tables, want %d or more", name, strings.Count(page, "<table>"), tables)
		}
		for _, never := range []string{"<script", "style=", "javascript:"} {
			if strings.Contains(page, never) {
				t.Errorf("%s: got %q in the page, want none: its policy forbids it", name, never)
			}
		}
	}
}

// TestLinksOfGuides: a link to a guide leads to its page, one to a place to a heading that is there, and one
// to a file to a file of the repository.
func TestLinksOfGuides(t *testing.T) {
	const repository = "https://github.com/perch-im/perch/"
	pages, places, files := map[string]string{"": get(t, "/docs").Body.String()}, map[string]bool{}, 0
	for _, name := range guides(t) {
		pages["/"+name] = get(t, "/docs/"+name).Body.String()
		for _, m := range ids.FindAllStringSubmatch(pages["/"+name], -1) {
			places["/docs/"+name+"#"+m[1]] = true
		}
	}
	for from, page := range pages {
		for _, m := range links.FindAllStringSubmatch(page, -1) {
			link := m[1]
			if strings.HasPrefix(link, "#") {
				link = "/docs" + from + link
			}
			file, inside := strings.CutPrefix(link, repository)
			switch {
			case inside && file != "":
				files++
				_, file, _ = strings.Cut(file, "/main/")
				file, _, _ = strings.Cut(file, "#")
				if _, err := os.Stat(filepath.Join("..", file)); file == "" || err != nil {
					t.Errorf("%s leads to %s: got error %v, want a file", from, link, err)
				}
			case strings.Contains(link, ":") || link == "/" || strings.HasPrefix(link, "/v1/") || link == "/docs#content":
			case strings.Contains(link, "#"):
				if !places[link] {
					t.Errorf("%s leads to %s, want a heading there", from, link)
				}
			case get(t, link).Code != http.StatusOK:
				t.Errorf("%s leads to %s: got %d, want 200", from, link, get(t, link).Code)
			}
		}
	}
	if len(places) < 100 || files < 10 {
		t.Errorf("got %d places and %d files of the repository, want more: this test looks in the wrong place", len(places), files)
	}
}

// TestMissingPages: a browser gets a page that leads on, and everything else a line of text. The page says
// nothing of the address, and no cache keeps it for a program.
func TestMissingPages(t *testing.T) {
	const browser = "text/html,application/xhtml+xml,*/*;q=0.8"
	w := get(t, "/docs/nothing%3Cb%3E", "Accept", browser)
	h, page := w.Header(), w.Body.String()
	if w.Code != http.StatusNotFound || h.Get("Content-Type") != "text/html; charset=utf-8" || h.Get("ETag") != "" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("got %d %v, want 404 with a page that is not kept", w.Code, h)
	}
	if vary := strings.Join(h.Values("Vary"), ", "); !strings.Contains(vary, "Accept,") || h.Get("Content-Security-Policy") == "" {
		t.Errorf("got Vary %q and the policy %q, want Accept, and one", vary, h.Get("Content-Security-Policy"))
	}
	if strings.Contains(page, "nothing%3C") || strings.Contains(page, "nothing<") || !strings.Contains(page, `href="/docs/api"`) {
		t.Errorf("got %s, want the guides, and nothing of the address", page)
	}
	for _, accept := range []string{"", "*/*", "application/json"} {
		if w := get(t, "/docs/nothing", "Accept", accept); w.Code != 404 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("Accept %q: got %d %v, want 404 as text", accept, w.Code, w.Header())
		}
	}
}

// TestEverythingIsCompressed: each page and program takes gzip, and is less than half as long with it.
func TestEverythingIsCompressed(t *testing.T) {
	addresses := []string{"/docs", "/docs/ui/page.css", "/docs/ui/swagger-ui-bundle.js", "/docs/ui/swagger-ui.css"}
	for _, name := range guides(t) {
		addresses = append(addresses, "/docs/"+name, "/docs/"+name+".md")
	}
	for _, address := range addresses {
		packed, plain := get(t, address, "Accept-Encoding", "gzip, deflate, br"), get(t, address, "Accept-Encoding", "gzip;q=0")
		if packed.Header().Get("Content-Encoding") != "gzip" || plain.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: got %q and %q with gzip refused, want gzip and none", address, packed.Header().Get("Content-Encoding"), plain.Header().Get("Content-Encoding"))
		}
		if got, whole := packed.Body.Len(), plain.Body.Len(); 2*got > whole {
			t.Errorf("%s: got %d bytes of %d, want less than half", address, got, whole)
		}
	}
}
