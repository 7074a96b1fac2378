package stanza

import (
	"strings"

	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// preferred returns the text of the child with this name that the reader most likely wants,
// where there are several in different languages (RFC 6121, 5.2.3 and 5.2.4): the one in the
// language of the stanza, or of the stream if the stanza says none; else the one without a
// language of its own; else the first. Children without text do not count.
func (r decoder) preferred(el *xmlstream.Borrowed, local string) xmlstream.Text {
	wanted := r.lang
	if lang, stated := el.Lang(); stated {
		wanted = lang.Peek()
	}
	var text xmlstream.Text
	best := -1
	for c := range el.Children() {
		if !c.Is(nsClient, local) || c.Text().Empty() {
			continue
		}
		if fit := languageFit(c, wanted); fit > best {
			text, best = c.Text(), fit
		}
	}
	return text
}

// languageFit ranks the language of el: as wanted, of the same language but for a region or
// script, none, another one.
func languageFit(el *xmlstream.Borrowed, wanted string) int {
	text, stated := el.Lang()
	lang := text.Peek()
	switch {
	case !stated || lang == "":
		return 1 // inherited: the language that is wanted, but less plainly said
	case strings.EqualFold(lang, wanted):
		return 3
	case wanted != "" && strings.EqualFold(primaryTag(lang), primaryTag(wanted)):
		return 2
	}
	return 0
}

// primaryTag is the language of a tag such as en-GB (RFC 5646, 2.2.1).
func primaryTag(lang string) string {
	primary, _, _ := strings.Cut(lang, "-")
	return primary
}
