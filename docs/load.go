package docs

import (
	"bytes"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/perch-im/perch/internal/static"
)

// site is everything that is served.
type site struct {
	byAddress map[string]*static.File
	missing   *static.File // for addresses that are not there
}

var mediaTypes = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".md": "text/plain; charset=utf-8", "": "text/plain; charset=utf-8",
}

// group is guides that are for the same readers, under a title.
type group struct {
	Title  string
	Guides []guide
}

// readers are the titles of the groups, and the guides in each in the order in which they are read. A guide
// that is named nowhere is in the last one.
var readers = []struct {
	title string
	names []string
}{
	{"Build on it", []string{"api", "events", "frontend", "uploads", "tokens", "webhooks", "push", "mcp", "messenger", "today"}},
	{"Run it", []string{"operations", "redis", "performance", "versions", "upgrade"}},
	{"Know it", []string{"architecture", "ledger", "releasing"}},
}

// content is what a template makes a page of.
type content struct {
	guide          // the one that the page has, or only a title
	Groups []group // all guides
}

// load makes every page.
func load() (*site, error) {
	made := map[string]*static.File{}
	guides, err := readGuides(made)
	if err != nil {
		return nil, err
	}
	if err := loadUI(made); err != nil {
		return nil, err
	}
	groups := grouped(guides)
	for _, g := range guides {
		if made["/docs/"+g.Name], err = newPage("guide", content{g, groups}); err != nil {
			return nil, err
		}
	}
	if made["/docs"], err = newPage("reference", content{guide{Title: "API reference"}, groups}); err != nil {
		return nil, err
	}
	missing, err := newPage("missing", content{guide{Title: "There is nothing here"}, groups})
	return &site{made, missing}, err
}

// readGuides reads the guides, by name, and has their text served as it is.
func readGuides(made map[string]*static.File) ([]guide, error) {
	names, err := fs.Glob(files, "*.md")
	if err != nil {
		return nil, err
	}
	guides := make([]guide, 0, len(names))
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		made["/docs/"+name] = static.New(text, mediaTypes[".md"])
		g, err := newGuide(strings.TrimSuffix(name, ".md"), text)
		if err != nil {
			return nil, err
		}
		guides = append(guides, g)
	}
	return guides, nil
}

// loadUI has the files of the reference served, of which some are stored compressed.
func loadUI(made map[string]*static.File) error {
	return fs.WalkDir(files, "ui", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		plain, packed := strings.CutSuffix(name, ".gz")
		address, mediaType := "/docs/"+plain, mediaTypes[path.Ext(plain)]
		if !packed {
			made[address] = static.New(body, mediaType)
			return nil
		}
		made[address], err = static.Packed(body, mediaType)
		return err
	})
}

// grouped puts guides into the groups of their readers.
func grouped(guides []guide) []group {
	groups := make([]group, len(readers))
	left := slices.Clone(guides)
	for i, r := range readers {
		groups[i].Title = r.title
		for _, name := range r.names {
			if at := slices.IndexFunc(left, func(g guide) bool { return g.Name == name }); at >= 0 {
				groups[i].Guides = append(groups[i].Guides, left[at])
				left = slices.Delete(left, at, at+1)
			}
		}
	}
	last := &groups[len(groups)-1]
	last.Guides = append(last.Guides, left...)
	return groups
}

// newPage fills a template, inside of what all pages have.
func newPage(name string, c content) (*static.File, error) {
	t, err := template.ParseFS(files, "pages/layout.html", "pages/"+name+".html")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "page", c); err != nil {
		return nil, err
	}
	return static.New(b.Bytes(), "text/html; charset=utf-8"), nil
}
