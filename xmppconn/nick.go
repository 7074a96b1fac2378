package xmppconn

// nickOf reads the nickname that a sender gives itself (XEP-0172).
func nickOf(el *element) string { return keep(el.child(nsNick, "nick").innerText()) }

func (w *writer) nick(nick string) {
	if nick == "" {
		return
	}
	w.raw("<nick xmlns='" + nsNick + "'>")
	w.text("/nick", nick)
	w.raw("</nick>")
}
