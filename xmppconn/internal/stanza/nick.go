package stanza

import "github.com/perch-im/perch/xmppconn/internal/xmlstream"

// nickOf reads the nickname that a sender gives itself (XEP-0172).
func nickOf(el *xmlstream.Borrowed) string { return el.Child(nsNick, "nick").InnerText().Copy() }

func (w *writer) nick(nick string) {
	if nick == "" {
		return
	}
	w.Raw("<nick xmlns='" + nsNick + "'>")
	w.Text("/nick", nick)
	w.Raw("</nick>")
}
