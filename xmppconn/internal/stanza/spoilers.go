package stanza

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// spoiler reads XEP-0382: the text is to be hidden until it is asked for. Of hints in several
// languages the first one with a text counts.
func (x *extras) spoiler(el *xmlstream.Borrowed) bool {
	if !el.Local().Is("spoiler") {
		return false
	}
	d := x.more()
	if d.Spoiler == nil {
		d.Spoiler = &perch.Spoiler{}
	}
	if d.Spoiler.Hint == "" {
		d.Spoiler.Hint = el.InnerText().Copy()
	}
	x.content = true
	return true
}

// styling reads XEP-0393, 6: the body has no styling.
func (x *extras) styling(el *xmlstream.Borrowed) bool {
	if !el.Local().Is("unstyled") {
		return false
	}
	x.more().Unstyled = true
	return true
}

func (w *writer) spoiler(s *perch.Spoiler) {
	w.Raw("<spoiler xmlns='" + nsSpoiler + "'>")
	w.Text("/spoiler/hint", s.Hint)
	w.Raw("</spoiler>")
}
