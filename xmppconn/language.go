package xmppconn

import "strings"

// preferred returns the text of the child with this name that the reader most likely wants,
// where there are several in different languages (RFC 6121, 5.2.3 and 5.2.4): the one in the
// language of the stanza, or of the stream if the stanza says none; else the one without a
// language of its own; else the first. Children without text do not count.
func (r reading) preferred(el *element, local string) string {
	wanted, stated := el.attrNS(nsXML, "lang")
	if !stated {
		wanted = r.lang
	}
	text, best := "", -1
	for _, c := range el.children {
		if !c.is(nsClient, local) || c.text == "" {
			continue
		}
		if fit := languageFit(c, wanted); fit > best {
			text, best = c.text, fit
		}
	}
	return text
}

// languageFit ranks the language of el: as wanted, of the same language but for a region or
// script, none, another one.
func languageFit(el *element, wanted string) int {
	lang, stated := el.attrNS(nsXML, "lang")
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
