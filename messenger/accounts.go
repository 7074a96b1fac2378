package messenger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"mellium.im/xmpp/jid"

	"github.com/perch-im/perch"
)

// account is one user. What is not constant is guarded by Service.mu.
type account struct {
	user, local, bare string
	nick, accountID   string
	history           bool
	bot               *botState // nil: a person

	card      []byte // <vCard/> as it is sent
	photoHash string

	roster  []contact // sorted by JID
	pending []pending // incoming requests, oldest first
	offline [][]byte  // stored messages, oldest first, from the tag's name on
	clients []*client // bound, oldest first

	logins   atomic.Int64
	messages atomic.Int64
	presence atomic.Int64
	iqs      atomic.Int64
}

// contact is one roster item. Two booleans say what RFC 6121, 2.1.2.5 calls to, from and
// both.
type contact struct {
	jid      string
	acct     *account // nil: an address outside of the service, which never answers
	name     string
	groups   []string
	to, from bool // we see its presence; it sees ours
	ask      bool // our request waits for an answer
	added    bool // the user has added it, so it can not be changed again (M6)
}

func (k *contact) subscription() perch.Subscription {
	switch {
	case k.to && k.from:
		return perch.SubscriptionBoth
	case k.to:
		return perch.SubscriptionTo
	case k.from:
		return perch.SubscriptionFrom
	}
	return perch.SubscriptionNone
}

// pending is a subscription request that has not been answered (RFC 6121, 3.1.3).
type pending struct {
	from          *account
	nick, message string
}

// contact returns the roster item of a bare JID, or nil. The pointer is valid until the
// roster changes.
func (a *account) contact(bare string) *contact {
	i, ok := a.search(bare)
	if !ok {
		return nil
	}
	return &a.roster[i]
}

func (a *account) search(bare string) (int, bool) {
	return slices.BinarySearchFunc(a.roster, bare, func(k contact, j string) int { return strings.Compare(k.jid, j) })
}

// ensure returns the roster item of a bare JID, made empty if there is none.
func (a *account) ensure(bare string, other *account) *contact {
	i, ok := a.search(bare)
	if !ok {
		a.roster = slices.Insert(a.roster, i, contact{jid: bare, acct: other})
	}
	return &a.roster[i]
}

// pendingFrom returns the index of a request, or -1.
func (a *account) pendingFrom(other *account) int {
	return slices.IndexFunc(a.pending, func(p pending) bool { return p.from == other })
}

// addAccounts makes the accounts of the options, then what ties them together.
func (s *Service) addAccounts(list []Account) error {
	for i := range list {
		if err := s.addAccount(&list[i]); err != nil {
			return err
		}
	}
	for i := range list {
		a := s.users[list[i].User]
		a.roster = make([]contact, 0, len(list[i].Contacts))
		if err := s.addContacts(a, list[i].Contacts); err != nil {
			return err
		}
	}
	for i := range list {
		s.mirrorContacts(s.users[list[i].User])
	}
	for i := range list {
		a := s.users[list[i].User]
		slices.SortFunc(a.roster, byJID)
		if a.bot != nil {
			a.bot.index = nil // positions before sorting
		}
		if err := s.addInvitations(a, list[i].Invitations); err != nil {
			return err
		}
		if err := s.addArchive(a, list[i].Archive); err != nil {
			return err
		}
	}
	return nil
}

func byJID(a, b contact) int { return strings.Compare(a.jid, b.jid) }

// addAccount makes one account without its contacts.
func (s *Service) addAccount(o *Account) error {
	local := o.Identifier
	if local == "" {
		sum := sha256.Sum256([]byte("messenger identifier of " + o.User))
		local = hex.EncodeToString(sum[:8])
	}
	j, err := jid.New(local, s.o.Domain, "")
	id := strings.ToLower(o.AccountID)
	switch {
	case o.User == "":
		return fmt.Errorf("messenger: an account has no User")
	case err != nil:
		return fmt.Errorf("messenger: account %q: Identifier: %w", o.User, err)
	case s.users[o.User] != nil || s.locals[j.Localpart()] != nil || (id != "" && s.ids[id] != nil):
		return fmt.Errorf("messenger: account %q: User, Identifier or AccountID is taken", o.User)
	}
	a := &account{
		user: o.User, local: j.Localpart(), bare: j.String(),
		nick: o.Nickname, accountID: o.AccountID, history: o.KeepHistory,
	}
	if o.Bot != nil {
		a.bot = newBot(*o.Bot, a.bare)
	}
	a.setCard(o.VCard)
	s.users[a.user], s.locals[a.local] = a, a
	s.order = append(s.order, a)
	if id != "" {
		s.ids[id] = a
	}
	for _, t := range o.Tokens {
		if t.Text == "" || t.Life < 0 {
			return fmt.Errorf("messenger: account %q: a token must have a text and no negative life", o.User)
		}
		s.tokens.add(t.Text, a, t.Life)
	}
	return nil
}

// addContacts fills a roster in the order given; it is sorted later.
func (s *Service) addContacts(a *account, list []Contact) error {
	seen := make(map[string]bool, len(list))
	for _, o := range list {
		b := s.users[o.User]
		if b == nil || b == a || seen[o.User] {
			return fmt.Errorf("messenger: account %q: contact %q is unknown, itself or listed twice", a.user, o.User)
		}
		seen[o.User] = true
		sub := defaultTo(o.Subscription, perch.SubscriptionBoth)
		both := sub == perch.SubscriptionBoth
		if !both && sub != perch.SubscriptionTo && sub != perch.SubscriptionFrom && sub != perch.SubscriptionNone {
			return fmt.Errorf("messenger: account %q: contact %q: subscription %q", a.user, o.User, sub)
		}
		if a.bot != nil {
			a.bot.index[b] = len(a.roster)
		}
		a.roster = append(a.roster, contact{
			jid: b.bare, acct: b, name: o.Name, groups: o.Groups, added: true,
			to: both || sub == perch.SubscriptionTo, from: both || sub == perch.SubscriptionFrom,
		})
	}
	return nil
}

// mirrorContacts makes the other sides agree: who is seen has a `from`, who sees a `to`.
func (s *Service) mirrorContacts(a *account) {
	for _, k := range a.roster {
		if !k.to && !k.from {
			continue
		}
		i := slices.IndexFunc(k.acct.roster, func(x contact) bool { return x.acct == a })
		if k.acct.bot != nil { // a bot may have thousands of contacts: looked up, not scanned
			var ok bool
			if i, ok = k.acct.bot.index[a]; !ok {
				i = -1
			}
		}
		if i < 0 {
			i = len(k.acct.roster)
			k.acct.roster = append(k.acct.roster, contact{jid: a.bare, acct: a, name: a.nick, added: true})
			if k.acct.bot != nil {
				k.acct.bot.index[a] = i
			}
		}
		k.acct.roster[i].to = k.acct.roster[i].to || k.from
		k.acct.roster[i].from = k.acct.roster[i].from || k.to
	}
}

// addInvitations makes requests that came in before the service began.
func (s *Service) addInvitations(a *account, list []Invitation) error {
	for _, o := range list {
		b := s.users[o.User]
		if b == nil || b == a || a.pendingFrom(b) >= 0 {
			return fmt.Errorf("messenger: account %q: invitation from %q is unknown, from itself or listed twice", a.user, o.User)
		}
		b.ensure(a.bare, a).ask = true
		a.pending = append(a.pending, pending{b, defaultTo(o.Nick, b.nick), o.Message})
	}
	return nil
}

// addArchive records messages of the past.
func (s *Service) addArchive(a *account, list []ArchivedMessage) error {
	for _, m := range list {
		b := s.users[m.With]
		if b == nil || b == a {
			return fmt.Errorf("messenger: account %q: archived message with %q, who is unknown or itself", a.user, m.With)
		}
		from := b
		if m.FromMe {
			from = a
		}
		s.record(pairOf(a, b), archived{from, m.Body, defaultTo(m.Time, time.Now()).UTC()})
	}
	return nil
}

// find returns an account by user id, identifier, bare JID or account id.
func (s *Service) find(name string) (*account, error) {
	for _, a := range []*account{
		s.users[name], s.locals[name], s.locals[strings.TrimSuffix(name, "@"+s.o.Domain)], s.ids[strings.ToLower(name)],
	} {
		if a != nil {
			return a, nil
		}
	}
	return nil, fmt.Errorf("messenger: there is no account %q", name)
}
