package xmlstream_test

import (
	"io"

	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// nsRoster is the namespace of the large answers of these tests.
const nsRoster = "jabber:iq:roster"

// seen is a frame with its bytes copied.
type seen struct {
	kind   xmlstream.Kind
	raw    string
	reason string
}

// readAll reads frames until an error and copies them.
func readAll(r io.Reader, limits xmlstream.Limits) (all []seen, err error) {
	f := xmlstream.NewFramer(r, limits)
	for {
		fr, err := f.Next()
		if err != nil {
			return all, err
		}
		s := seen{kind: fr.Kind, raw: string(fr.Raw)}
		if fr.Skipped != nil {
			s.reason = fr.Skipped.Reason
		}
		all = append(all, s)
		fr.Release()
	}
}

// node is a tree to compare with.
type node struct {
	Space, Local string
	Attrs        []xmlstream.Attribute
	Text         string
	Children     []*node
}

func treeOf(e *xmlstream.Element) *node {
	n := &node{Space: e.Space(), Local: e.Local(), Attrs: e.Attributes(), Text: e.Text()}
	for _, c := range e.Children() {
		n.Children = append(n.Children, treeOf(c))
	}
	return n
}
