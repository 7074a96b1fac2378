package messenger

import (
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// serviceResource is the resource of what the service itself sends for an account.
const serviceResource = "messenger-service"

// botState is an account that the service plays; guarded by Service.mu.
type botState struct {
	Bot
	res   *xmppserver.Resource // has no Send: nothing goes to it
	next  int                  // in Presences
	index map[*account]int     // positions in the roster while New builds it
}

func newBot(o Bot, a *xmppserver.Account) *botState {
	setDefault(&o.Delay, 1200*time.Millisecond)
	if len(o.Presences) == 0 {
		o.Presences = []perch.OwnPresence{{Available: true}}
	}
	b := &botState{Bot: o, index: make(map[*account]int)}
	b.res = &xmppserver.Resource{Account: a, Name: serviceResource, Full: a.Bare + "/" + serviceResource}
	a.Bind(b.res)
	b.show(o.Presences[0])
	return b
}

func (b *botState) show(p perch.OwnPresence) {
	b.res.Available, b.res.Presence = p.Available, xmppserver.PresenceInner(p)
}

// startBots begins the changes of presence.
func (s *Service) startBots() {
	for _, a := range s.users {
		if a.bot != nil && a.bot.Every > 0 && len(a.bot.Presences) > 1 {
			s.bots.After(a.bot.Every, func() { s.changePresence(a) })
		}
	}
}

// changePresence sends a bot's next presence; s.mu is held.
func (s *Service) changePresence(a *account) {
	a.bot.next = (a.bot.next + 1) % len(a.bot.Presences)
	s.showBot(a, a.bot.Presences[a.bot.next])
	s.bots.After(a.bot.Every, func() { s.changePresence(a) })
}

func (s *Service) showBot(a *account, p perch.OwnPresence) {
	kind := ""
	if !p.Available {
		kind = "unavailable"
	}
	a.bot.show(p)
	s.dir.Broadcast(a.Account, a.bot.res.Full, kind, a.bot.res.Presence)
}

// answer lets a bot reply to a message: composing first, the text a moment later.
func (s *Service) answer(bot, person *account, full, body string) {
	if bot.bot.Cut != nil && bot.bot.Cut(body) {
		s.bots.After(bot.bot.Delay/4, func() { s.eachClient(person, func(c *client) { c.conn.Cut() }) })
	}
	if bot.bot.Reply == nil || body == "" {
		return
	}
	text := bot.bot.Reply(body)
	if text == "" {
		return
	}
	at := xmppserver.Address{Account: person.Account, Bare: person.Bare, Resource: perch.JID(full).Resource()}
	s.bots.After(bot.bot.Delay/4, func() {
		s.route(at, bot.bot.res.Full, full, chatElement("", "composing", ""), "")
	})
	s.bots.After(bot.bot.Delay, func() {
		s.route(at, bot.bot.res.Full, full, chatElement(text, "active", xmppserver.NewID()), text)
		s.keep(bot, person, text)
	})
}
