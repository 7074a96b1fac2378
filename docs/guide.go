package docs

import (
	"bytes"
	"html/template"
	"io/fs"
	"path"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// repository is where the files of the repository are read that no page has.
const repository = "https://github.com/perch-im/perch/"

// guide is a page of Markdown.
type guide struct {
	Name     string // of the file, without .md
	Title    string // its first heading
	Sections []section
	Body     template.HTML
}

// section is a heading of the second level.
type section struct{ ID, Title string }

// markdown is GitHub's, where the guides are read too, without HTML of their own: raw tags are left out.
// Cells are aligned by an attribute, as the policy of the pages has no inline styles.
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)), extension.Linkify, extension.Strikethrough),
	goldmark.WithParserOptions(parser.WithAutoHeadingID()),
)

// scrollable lets what is wider than a small screen scroll by itself, also by keyboard. Text of a guide
// has no tags: what looks like one is escaped.
var scrollable = strings.NewReplacer(
	"<pre>", `<pre tabindex="0">`,
	"<table>", `<div class="wide" role="group" aria-label="Table" tabindex="0"><table>`, "</table>", "</table></div>",
)

// newGuide makes the page of a guide.
func newGuide(name string, raw []byte) (guide, error) {
	g := guide{Name: name, Title: name}
	root := markdown.Parser().Parse(text.NewReader(raw))
	err := ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Heading:
			if entering {
				g.head(n, raw)
			}
		case *ast.Link:
			if entering {
				n.Destination = []byte(address(string(n.Destination)))
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return guide{}, err
	}
	var b bytes.Buffer
	err = markdown.Renderer().Render(&b, raw, root)
	g.Body = template.HTML(scrollable.Replace(b.String())) //nolint:gosec // made of files of the program, without raw HTML
	return g, err
}

// head takes note of a heading.
func (g *guide) head(n *ast.Heading, raw []byte) {
	title := plainText(n, raw)
	switch n.Level {
	case 1:
		g.Title = title
	case 2:
		if id, ok := n.AttributeString("id"); ok {
			g.Sections = append(g.Sections, section{string(id.([]byte)), title})
		}
	}
}

// plainText is the text of a node without what it is marked up with.
func plainText(n ast.Node, raw []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(t.Value(raw))
			continue
		}
		b.WriteString(plainText(c, raw))
	}
	return b.String()
}

// address is where a link of a guide leads: to the page of another guide, to a place of the page itself, or
// to a file of the repository.
func address(link string) string {
	file, fragment, _ := strings.Cut(link, "#")
	if file == "" || strings.HasPrefix(file, "/") || strings.Contains(file, ":") {
		return link
	}
	if fragment != "" {
		fragment = "#" + fragment
	}
	if name, ok := strings.CutSuffix(file, ".md"); ok {
		if _, err := fs.Stat(files, file); err == nil {
			return "/docs/" + name + fragment
		}
	}
	kind := "blob/main/"
	if strings.HasSuffix(file, "/") {
		kind = "tree/main/"
	}
	return repository + kind + path.Join("docs", file) + fragment
}
