package today

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/xdg-go/stringprep"
	"mellium.im/xmpp/jid"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// account is one user; guarded by Service.mu, but for what is constant.
type account struct {
	*xmppserver.Account
	password string // prepared; "": it signs in by tokens alone
	logins   int    // how often it has proved who it is

	bot      *bot       // nil: a person
	sessions []*session // bound, oldest first: also those that wait to be resumed
	ended    []endedSession
	fast     fastTokens

	archive archive // of messages with others
	prefs   prefs   // of the archive
	pep     pep
	private []item   // documents of XEP-0049
	blocked []string // addresses as they are normalised

	card      *xmppserver.Element // nil: none
	photoHash string              // of the picture in it, "" for none
}

// addAccounts makes the accounts of the options, then what ties them together.
func (s *Service) addAccounts(list []Account) error {
	if err := s.checkContacts(list); err != nil {
		return err
	}
	for i := range list {
		if err := s.addAccount(&list[i]); err != nil {
			return err
		}
	}
	for _, own := range list {
		a := s.accounts[own.Local]
		for _, o := range own.Contacts {
			subscribeBoth(a, s.accounts[o.Local], o)
		}
	}
	return nil
}

// checkContacts refuses contacts that are not in the list, and have no account yet.
func (s *Service) checkContacts(list []Account) error {
	there := make(map[string]bool, len(list))
	for i := range list {
		there[list[i].Local] = true
	}
	for _, own := range list {
		for _, o := range own.Contacts {
			if o.Local == own.Local || !there[o.Local] && s.accounts[o.Local] == nil {
				return fmt.Errorf("today: account %q: contact %q is unknown or itself", own.Local, o.Local)
			}
		}
	}
	return nil
}

// subscribeBoth makes a subscription in both directions, and tells who has fetched a roster. An item that the
// other side has named keeps its name.
func subscribeBoth(a, b *account, o Contact) {
	k := a.Ensure(b.Bare, b.Account)
	k.Name, k.Groups = o.Name, slices.Compact(slices.Sorted(slices.Values(o.Groups)))
	k.To, k.From, k.Added = true, true, true
	a.Push(k)
	back := b.Ensure(a.Bare, a.Account)
	if !back.Added {
		back.Name, back.Added = a.Nick, true
	}
	back.To, back.From = true, true
	b.Push(back)
}

// addAccount makes one account without its contacts.
func (s *Service) addAccount(o *Account) error {
	j, err := jid.New(o.Local, s.o.Domain, "")
	if err != nil || j.Localpart() != o.Local || o.Local == "" {
		return fmt.Errorf("today: account %q: Local is no localpart as RFC 7622 prepares it", o.Local)
	}
	a := &account{
		Account: &xmppserver.Account{Local: o.Local, Bare: j.String(), Nick: o.Nickname},
	}
	if a.password, err = preparePassword(o.Local, o.Password); err != nil {
		return err
	}
	if slices.Contains(o.Tokens, "") {
		return fmt.Errorf("today: account %q: Tokens: a token must have a text", o.Local)
	}
	if !s.dir.Add(a.Account) {
		return fmt.Errorf("today: account %q: Local is taken", o.Local)
	}
	s.accounts[o.Local] = a
	for _, token := range o.Tokens {
		s.tokens[sha256.Sum256([]byte(token))] = a
	}
	if !reflect.DeepEqual(o.VCard, perch.VCard{}) {
		a.card = xmppserver.VCard(o.VCard)
		if data := photoOf(a.card); data != nil {
			a.photoHash = xmppserver.PhotoHash(data)
			s.publishAvatar(a)
		}
	}
	return nil
}

// preparePassword is a password as it is compared.
func preparePassword(local, password string) (string, error) {
	prepared, err := stringprep.SASLprep.Prepare(password)
	if err != nil {
		return "", fmt.Errorf("today: account %q: Password has characters that SASLprep (RFC 4013) does not allow", local)
	}
	return prepared, nil
}

// of returns the account behind an address, or nil.
func (s *Service) of(at xmppserver.Address) *account {
	if at.Account == nil {
		return nil
	}
	return s.accounts[at.Account.Local]
}

// hostOf is the domain of an address, in the form in which components are listed.
func hostOf(to string) string {
	bare, _, _ := strings.Cut(to, "/")
	if _, host, ok := strings.Cut(bare, "@"); ok {
		bare = host
	}
	return strings.ToLower(bare)
}
