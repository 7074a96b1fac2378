package xmppconn

import (
	"time"

	"github.com/perch-im/perch"
)

// archivedHead reads the beginning of a message that is over a limit, or could not be decoded:
// when it brings an archived one, the query that it answers and whose message it is. Nil: it
// does not.
func archivedHead(raw []byte, ns nsContext) *mamResult {
	p := newParser(string(raw[:min(len(raw), maxPrefix)]), ns)
	var result, inner *element
	for p.markup() == nil && len(p.open) > 0 {
		switch el := p.open[len(p.open)-1].el; {
		case len(p.open) == 2 && result == nil && el.is(nsMAM, "result"):
			result = el
		case len(p.open) == 4 && result != nil && inner == nil && el.is(nsClient, "message"):
			inner = el
		}
		text, err := p.chars('<')
		if err != nil {
			break
		}
		if text != "" {
			p.addText(text)
		}
	}
	if result == nil {
		return nil
	}
	m := perch.Message{StanzaID: keep(result.attr("id")), Source: perch.SourceArchive}
	if inner != nil {
		m.ID, m.Kind = keep(inner.attr("id")), messageKind(inner.attr("type"))
		m.From, m.To = keepJID(inner.attr("from")), keepJID(inner.attr("to"))
	}
	return &mamResult{queryID: keep(result.attr("queryid")), item: &perch.ArchiveItem{MessageIn: perch.MessageIn{Message: m}}}
}

// archivedSkipped makes a skipped stanza an item of the archive page that it belongs to, with
// the reason in place of the text: as an event of its own, it would come with every reading of
// the archive. It reports false for what the own archive did not send.
func (c *Conn) archivedSkipped(s *skipped) bool {
	if s.archived == nil || !c.fromOwnAccount(s.from) {
		return false
	}
	m := s.archived.item.MessageIn
	m.Sent = m.From.Bare().Equal(c.login.JID.Bare()) && !m.To.Bare().Equal(c.login.JID.Bare())
	item := archivedAt(&m, nil, perch.At(time.Now()))
	item.Dropped = s.reason
	c.archiveResult(&mamResult{queryID: s.archived.queryID, from: s.from, item: item})
	return true
}
