package sessions

import (
	"context"
	"time"

	"github.com/perch-im/perch"
)

// vcardFresh is how long a cached card is given out without asking the upstream.
const vcardFresh = 24 * time.Hour

// VCard returns the card of an account, the own one included. A cached one answers while
// it is fresh and its photo is the one that the buddy's presence names, and whenever the
// upstream cannot be asked; refresh asks in any case. It waits for the upstream.
func (s *Session) VCard(ctx context.Context, jid perch.JID, refresh bool) (perch.VCard, error) {
	jid = jid.Bare() // a device, or an occupant of a room, has none of its own here
	cached, err := s.m.o.Store.VCard(ctx, s.id, jid)
	if err != nil {
		cached = nil
	}
	photo := ""
	conn, err := s.request(ctx, "", nil)
	if terr := s.call(ctx, func() {
		if k := s.roster.contacts.Get(jid); k != nil {
			photo = k.Photo
		}
	}); terr != nil {
		return perch.VCard{}, terr
	}
	if cached != nil && (err != nil || !refresh && freshCard(cached, photo)) {
		return *cached, nil
	}
	if err != nil {
		return perch.VCard{}, err
	}
	card, err := conn.VCard(ctx, jid)
	if err != nil {
		return perch.VCard{}, aboutAccount(err, jid, "there is no card of this account")
	}
	if card.JID = jid; card.FetchedAt == 0 {
		card.FetchedAt = s.now()
	}
	return card, s.call(ctx, func() { s.cacheCard(&card) })
}

func freshCard(c *perch.VCard, photo string) bool {
	if time.Since(c.FetchedAt.Time()) >= vcardFresh {
		return false
	}
	return photo == "" || c.Photo != nil && (c.Photo.Hash == photo || c.Photo.Hash == "")
}

// writeCard has the Store keep a card, unless it takes no writes or too many cards wait: it
// can be fetched again.
func (l *eventLog) writeCard(card *perch.VCard) bool {
	n := VCardCost(card)
	if l.down || l.cards+n > cardsWaiting {
		return false
	}
	l.addCard(card, n)
	return true
}

// VCardCost estimates the memory of a card.
func VCardCost(c *perch.VCard) int {
	n := 512 + len(c.JID) + len(c.FullName) + len(c.Nickname) + len(c.GivenName) + len(c.FamilyName) +
		len(c.Organization) + len(c.Title) + len(c.Birthday) + len(c.URL) + len(c.Description)
	for _, l := range [][]string{c.Emails, c.Phones} {
		for _, x := range l {
			n += 16 + len(x)
		}
	}
	if c.Photo != nil {
		n += 128 + len(c.Photo.URL) + len(c.Photo.Data)
	}
	return n
}

// cacheCard keeps a card, and its name for a buddy that has none in the roster.
func (s *Session) cacheCard(card *perch.VCard) {
	if !s.log.writeCard(card) {
		s.report.countDropped(DroppedOverBudget, 1)
	}
	s.roster.setCardName(card)
}

// setCardName gives a buddy without a name in the roster that of its card.
func (ro *roster) setCardName(card *perch.VCard) {
	k := ro.contacts.Get(card.JID)
	if k == nil || !ro.setText(k, &k.CardName, cardName(card), maxName) {
		return
	}
	ro.keep(k)
	if k.Buddy.Name == "" && k.Nick == "" {
		ro.journal.Durable(perch.EventRosterItem, k.View())
	}
}

func cardName(c *perch.VCard) string {
	if c.FullName != "" {
		return clipTo(c.FullName, maxName)
	}
	return clipTo(c.Nickname, maxName)
}

// SetVCard stores the own card. It waits for the upstream.
func (s *Session) SetVCard(ctx context.Context, card perch.VCard) error {
	conn, err := s.request(ctx, "store a vCard", func(c perch.Capabilities) bool { return c.StoreVCard })
	if err != nil {
		return err
	}
	if err := conn.SetVCard(ctx, card); err != nil {
		return err
	}
	return s.call(ctx, func() {
		card.JID, card.FetchedAt = s.state.JID.Bare(), s.now()
		s.cacheCard(&card)
	})
}
