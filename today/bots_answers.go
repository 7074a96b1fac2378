package today

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// hear takes a message to the bot alone: it says that it has come and is read, types, answers, corrects
// the answer, and reacts.
func (b *bot) hear(e *xmppserver.Element) {
	body, from, id := e.Child(xmppserver.NSClient, "body").Text(), e.Get("from"), e.Get("id")
	if body == "" || b.Answer == nil || e.Child(xmppserver.NSDelay, "delay") != nil {
		return
	}
	to := string(perch.JID(from).Bare())
	if e.Child(nsMUCUser, "x") != nil {
		to = from // of a room
	}
	if id != "" && e.Child(nsReceipts, "request") != nil {
		b.later(0, func() { b.say(to, "chat", "", "<received xmlns='"+nsReceipts+"'"+attribute("id", id)+"/>") })
	}
	if id != "" && e.Child(nsMarkers, "markable") != nil {
		b.later(b.Delay/4, func() { b.say(to, "chat", "", "<displayed xmlns='"+nsMarkers+"'"+attribute("id", id)+"/>") })
	}
	if e.Child(nsCorrection, "replace") == nil {
		b.answer(to, "chat", id, b.Answer(body))
	}
}

// answer says something, in a moment.
func (b *bot) answer(to, kind, about string, a Answer) {
	if a.Body == "" && a.Reaction == "" {
		return
	}
	if a.Body != "" {
		b.later(b.Delay/3, func() { b.say(to, kind, "", "<composing xmlns='"+xmppserver.NSStates+"'/>") })
		id := xmppserver.NewID()
		b.later(b.Delay, func() { b.say(to, kind, id, text(kind, a.Body)) })
		if a.Corrected != "" {
			b.later(5*b.Delay/2, func() {
				b.say(to, kind, "", text(kind, a.Corrected)+"<replace xmlns='"+nsCorrection+"'"+attribute("id", id)+"/>")
			})
		}
	}
	if a.Reaction != "" && about != "" {
		b.later(2*b.Delay, func() { b.react(to, kind, about, a.Reaction) })
	}
}

// react sends one emoji about a message.
func (b *bot) react(to, kind, about, emoji string) {
	reaction := string(xmppserver.AppendTag(nil, "reaction", emoji))
	b.say(to, kind, "", "<reactions xmlns='"+nsReactions+"'"+attribute("id", about)+">"+reaction+"</reactions><store xmlns='"+nsHints+"'/>")
}

// say sends a message; an id of "" is made up.
func (b *bot) say(to, kind, id, inner string) {
	if id == "" {
		id = xmppserver.NewID()
	}
	b.send("<message" + attribute("to", to) + attribute("type", kind) + attribute("id", id) + ">" + inner + "</message>")
}

// text is a body that wants to be marked as read. What is said in a room is not for receipts (XEP-0184, 5.3).
func text(kind, body string) string {
	b := string(xmppserver.AppendTag(nil, "body", body)) + "<active xmlns='" + xmppserver.NSStates + "'/><markable xmlns='" + nsMarkers + "'/>"
	if kind == "chat" {
		b += "<request xmlns='" + nsReceipts + "'/>"
	}
	return b
}

func attribute(name, value string) string { return string(xmppserver.AppendAttr(nil, name, value)) }

// overhear takes what is said in a room: who names the bot gets an answer. Bots are not answered, so that
// no two of them can go on for ever.
func (b *bot) overhear(e *xmppserver.Element) {
	body := e.Child(xmppserver.NSClient, "body").Text()
	from := perch.JID(e.Get("from"))
	if b.Answer == nil || e.Child(xmppserver.NSDelay, "delay") != nil || e.Child(nsCorrection, "replace") != nil ||
		!hasWords(body, b.nick) {
		return
	}
	r := b.s.rooms.list[string(from.Bare())]
	if r == nil {
		return
	}
	if o := r.byNick(from.Resource()); o == nil || b.s.rooms.isBot(o.bare) {
		return
	}
	a := b.Answer(body)
	if a.Body != "" {
		a.Body = from.Resource() + ": " + a.Body
	}
	if a.Corrected != "" {
		a.Corrected = from.Resource() + ": " + a.Corrected
	}
	b.answer(r.jid, "groupchat", e.Child(nsSID, "stanza-id").Get("id"), a)
}

// hasWords reports whether a text has a word, or words in a row, as a whole and in whatever case.
func hasWords(text, words string) bool {
	split := func(s string) []string {
		return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	}
	all, want := split(text), split(words)
	if len(want) == 0 { // a name of symbols
		return strings.Contains(text, words)
	}
	for i := range len(all) - len(want) + 1 {
		if slices.Equal(all[i:i+len(want)], want) {
			return true
		}
	}
	return false
}

// silence is how long bots go on to talk in a room when nobody else is in it.
const silence = 5 * time.Minute

// chatter is what bots say in a room.
type chatter struct {
	r     *room
	lines []Line
	every time.Duration
	next  int
	heard time.Time         // when somebody else was in the room last
	last  map[string]string // id of what each has said last
}

// startTalk lets the bots of a room talk.
func (s *Service) startTalk(o *Room) {
	r := s.roomNamed(o.Local)
	if len(o.Talk) == 0 {
		return
	}
	t := &chatter{r: r, lines: o.Talk, every: o.TalkEvery, last: make(map[string]string)}
	setDefault(&t.every, 20*time.Second)
	s.later.Always(t.every, t.speak)
}

// speak says the next line, when there is somebody to hear it.
func (t *chatter) speak() {
	t.r.c.s.later.Always(t.every, t.speak)
	now := time.Now()
	for _, o := range t.r.occupants {
		if !t.r.c.isBot(o.bare) {
			t.heard = now
		}
	}
	if t.heard.IsZero() || now.Sub(t.heard) > silence {
		return
	}
	line := t.lines[t.next%len(t.lines)]
	t.next++
	a := t.r.c.s.accounts[line.From]
	if a == nil || a.bot == nil {
		return
	}
	switch id := xmppserver.NewID(); {
	case line.React != "":
		if about := t.newest(t.r.at(&occupant{nick: a.bot.nick})); about != "" {
			a.bot.react(t.r.jid, "groupchat", about, line.React)
		}
	case line.Picture != nil:
		if url := t.r.c.s.sharePicture(a, line.Picture); url != "" {
			oob := "<x xmlns='" + nsOOB + "'>" + string(xmppserver.AppendTag(nil, "url", url)) + "</x>"
			a.bot.say(t.r.jid, "groupchat", id, text("groupchat", url)+oob)
		}
	case line.Correct && t.last[line.From] != "":
		a.bot.say(t.r.jid, "groupchat", id, text("groupchat", line.Body)+"<replace xmlns='"+nsCorrection+"'"+attribute("id", t.last[line.From])+"/>")
	default:
		t.last[line.From] = id
		a.bot.say(t.r.jid, "groupchat", id, text("groupchat", line.Body))
	}
}

// newest is the id of the newest text in the archive that is not from an occupant.
func (t *chatter) newest(not string) string {
	for _, m := range slices.Backward(t.r.archive.list) {
		if m.text != "" && m.with != not {
			return m.id
		}
	}
	return ""
}
