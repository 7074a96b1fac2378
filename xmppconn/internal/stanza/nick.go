package stanza

import (
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// maxNick is the most bytes of a nickname that is read; what is longer is cut.
const maxNick = 1024

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

// nickEvent reads a notification of the node in which an account has its nickname (XEP-0172, 4.5; XEP-0163, 4.3).
// Only the account itself may say what it calls itself, not one of its devices; of what is in no roster the
// session keeps nothing.
func (m incoming) nickEvent() []perch.Inbound {
	if m.around != nil || !m.has.any(withExtras) || !m.el.Attr("type").Is("headline") {
		return nil
	}
	from := peekSender(m.el, m.self)
	if !from.IsBare() || from.Local() == "" {
		return nil
	}
	for what := range m.el.Child(nsPubSubEvent, "event").Children() {
		if !what.Attr("node").Is(NodeNick) {
			continue
		}
		if nick, ok := nickIn(what); ok || emptied(what) {
			return []perch.Inbound{&perch.NickIn{From: sender(m.el, m.self), Nick: nick}}
		}
	}
	return nil
}

// nickIn is the nickname in the items of the node, "" for one that was taken back; ok is false when they say
// nothing.
func nickIn(items *xmlstream.Borrowed) (nick string, ok bool) {
	if !items.Is(nsPubSubEvent, "items") {
		return "", false
	}
	for item := range items.Children() {
		if el := item.Child(nsNick, "nick"); item.Is(nsPubSubEvent, "item") && el != nil {
			nick, ok = oneLine(el.InnerText().Copy()), true
		} else if item.Is(nsPubSubEvent, "retract") {
			nick, ok = "", true
		}
	}
	return nick, ok
}

// oneLine is a text without line breaks, of at most maxNick bytes of what was sent.
func oneLine(s string) string {
	if len(s) > maxNick {
		s = strings.ToValidUTF8(s[:maxNick], "")
	}
	return strings.Join(strings.Fields(s), " ")
}

// EncodeNick publishes the own nickname (XEP-0172, 4.5); an empty one takes it back.
func EncodeNick(nick string) ([]byte, error) {
	var w writer
	w.Raw("<pubsub xmlns='" + nsPubSub + "'><publish node='" + NodeNick + "'><item id='current'>")
	if nick == "" {
		w.Raw("<nick xmlns='" + nsNick + "'/>")
	}
	w.nick(nick)
	w.Raw("</item></publish></pubsub>")
	return w.Result()
}
