package today

import (
	"bytes"
	"fmt"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// maxBotAnswers bounds what one bot is about to do: what comes over it gets no answer.
const maxBotAnswers = 50

// bot is an account that the service plays; guarded by Service.mu. It is a session without a connection,
// and what it sends takes the way of everybody else's.
type bot struct {
	Bot
	s     *Service
	x     *session
	nick  string // in rooms
	doing int    // answers that are not finished
}

// play binds a resource that the service plays itself: send gets every stanza that goes to it, under
// Service.mu, and must not wait.
func (s *Service) play(a *account, resource string, send func([]byte)) *session {
	x := &session{s: s, acct: a}
	x.Resource = &xmppserver.Resource{Account: a.Account, Name: resource, Full: a.Bare + "/" + resource, Send: send}
	a.sessions = append(a.sessions, x)
	a.Bind(x.Resource)
	return x
}

// startBot lets the bot of an account, if it has one, come online and enter its rooms.
func (s *Service) startBot(o *Account) {
	if o.Bot == nil {
		return
	}
	a := s.accounts[o.Local]
	b := &bot{Bot: *o.Bot, s: s, nick: a.nick()}
	setDefault(&b.Delay, 1200*time.Millisecond)
	a.bot, a.Accepts = b, true
	b.x = s.play(a, "bot", b.get)
	b.send(fmt.Sprintf("<presence>%s</presence>", xmppserver.PresenceInner(b.Presence)))
	for _, local := range b.Rooms {
		to := attribute("to", s.roomNamed(local).jid+"/"+b.nick)
		b.send("<presence" + to + "><x xmlns='" + nsMUC + "'><history maxstanzas='0'/></x></presence>")
	}
}

// send is what a client sends that has written it.
func (b *bot) send(stanza string) {
	e, err := xmppserver.Parse([]byte(stanza))
	if err != nil {
		b.s.log.Error("a bot has sent what is no XML", "error", err)
		return
	}
	switch e.Name.Local {
	case "message":
		b.s.message(b.x, e)
	case "presence":
		b.s.presence(b.x, e)
	default:
		b.s.iq(b.x, e)
	}
}

// get takes what is sent to the bot. It sends nothing itself: it is called while others are handled.
func (b *bot) get(stanza []byte) {
	if bytes.HasPrefix(stanza, []byte("<presence")) || b.doing >= maxBotAnswers {
		return
	}
	e, err := xmppserver.Parse(stanza)
	if err != nil {
		return
	}
	switch kind := e.Get("type"); {
	case e.Name.Local == "iq" && (kind == "get" || kind == "set"):
		b.later(0, func() { b.reply(e) })
	case e.Name.Local == "message" && kind == "groupchat":
		b.overhear(e)
	case e.Name.Local == "message" && kind != "error":
		b.hear(e)
	}
}

// later does something after a while; a schedule that is full forgets it.
func (b *bot) later(d time.Duration, do func()) {
	b.doing++
	if !b.s.later.After(d, func() { b.doing--; do() }) {
		b.doing--
	}
}

// botFeatures are what service discovery shows of a bot.
var botFeatures = []string{
	xmppserver.NSInfo, xmppserver.NSPing, nsReceipts, nsMarkers, nsCorrection, nsReactions, xmppserver.NSStates,
}

// reply answers a request.
func (b *bot) reply(e *xmppserver.Element) {
	p := e.Payload()
	iq := func(kind string, payload []byte) {
		a := xmppserver.AppendAttr([]byte("<iq"), "type", kind)
		a = xmppserver.AppendAttr(xmppserver.AppendAttr(a, "to", e.Get("from")), "id", e.Get("id"))
		b.send(string(append(append(append(a, '>'), payload...), "</iq>"...)))
	}
	switch {
	case p != nil && p.Name.Space == xmppserver.NSPing:
		iq("result", nil)
	case p != nil && p.Name.Space == xmppserver.NSInfo && p.Get("node") == "":
		info := []byte("<query xmlns='" + xmppserver.NSInfo + "'><identity category='client' type='bot'/>")
		info = appendFeatures(info, botFeatures...)
		iq("result", append(info, "</query>"...))
	default:
		iq("error", []byte("<error type='cancel'><service-unavailable xmlns='"+xmppserver.NSStanzas+"'/></error>"))
	}
}

// isBot reports whether an account is played by the service.
func (c *rooms) isBot(bare string) bool {
	a := c.s.accounts[perch.JID(bare).Local()]
	return a != nil && a.bot != nil
}
