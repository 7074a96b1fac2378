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
	"github.com/perch-im/perch/internal/xmppserver"
)

// account is one user. What is not constant is guarded by Service.mu.
type account struct {
	*xmppserver.Account
	user, accountID string
	history         bool
	bot             *botState // nil: a person

	card      []byte // <vCard/> as it is sent
	photoHash string

	clients []*client // bound, oldest first

	logins   atomic.Int64
	messages atomic.Int64
	presence atomic.Int64
	iqs      atomic.Int64
}

// of returns the account behind an address, or nil.
func (s *Service) of(at xmppserver.Address) *account {
	if at.Account == nil {
		return nil
	}
	return s.locals[at.Account.Local]
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
		a.Roster = make([]xmppserver.Contact, 0, len(list[i].Contacts))
		if err := s.addContacts(a, list[i].Contacts); err != nil {
			return err
		}
	}
	for i := range list {
		s.mirrorContacts(s.users[list[i].User])
	}
	for i := range list {
		a := s.users[list[i].User]
		slices.SortFunc(a.Roster, byJID)
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

func byJID(a, b xmppserver.Contact) int { return strings.Compare(a.JID, b.JID) }

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
		Account: &xmppserver.Account{Local: j.Localpart(), Bare: j.String(), Nick: o.Nickname, Accepts: o.Bot != nil},
		user:    o.User, accountID: o.AccountID, history: o.KeepHistory,
	}
	if o.Bot != nil {
		a.bot = newBot(*o.Bot, a.Account)
	}
	a.setCard(o.VCard)
	s.users[a.user], s.locals[a.Local] = a, a
	s.dir.Add(a.Account)
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
			a.bot.index[b] = len(a.Roster)
		}
		a.Roster = append(a.Roster, xmppserver.Contact{
			JID: b.Bare, Account: b.Account, Name: o.Name, Groups: o.Groups, Added: true,
			To: both || sub == perch.SubscriptionTo, From: both || sub == perch.SubscriptionFrom,
		})
	}
	return nil
}

// mirrorContacts makes the other sides agree: who is seen has a `from`, who sees a `to`.
func (s *Service) mirrorContacts(a *account) {
	for _, k := range a.Roster {
		if !k.To && !k.From {
			continue
		}
		other := s.locals[k.Account.Local]
		i := slices.IndexFunc(other.Roster, func(x xmppserver.Contact) bool { return x.Account == a.Account })
		if other.bot != nil { // a bot may have thousands of contacts: looked up, not scanned
			var ok bool
			if i, ok = other.bot.index[a]; !ok {
				i = -1
			}
		}
		if i < 0 {
			i = len(other.Roster)
			other.Roster = append(other.Roster, xmppserver.Contact{JID: a.Bare, Account: a.Account, Name: a.Nick, Added: true})
			if other.bot != nil {
				other.bot.index[a] = i
			}
		}
		back := &other.Roster[i]
		back.To, back.From = back.To || k.From, back.From || k.To
	}
}

// addInvitations makes requests that came in before the service began.
func (s *Service) addInvitations(a *account, list []Invitation) error {
	for _, o := range list {
		b := s.users[o.User]
		if b == nil || b == a || a.PendingFrom(b.Account) >= 0 {
			return fmt.Errorf("messenger: account %q: invitation from %q is unknown, from itself or listed twice", a.user, o.User)
		}
		b.Ensure(a.Bare, a.Account).Ask = true
		a.Pending = append(a.Pending, xmppserver.Pending{From: b.Account, Nick: defaultTo(o.Nick, b.Nick), Message: o.Message})
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
