package xmppserver

import (
	"slices"
	"strings"
	"time"

	"github.com/perch-im/perch"
)

// Directory are the accounts of one domain. It and all that it leads to is guarded by one lock of
// its owner; nothing in it waits: what is sent goes into the queues of resources.
type Directory struct {
	Domain     string
	OfflineMax int // most messages kept for an account that is offline

	// Decorate adds to an available presence of a, whose end tag is still missing, for all who see
	// it; nil: nothing.
	Decorate func(a *Account, presence []byte) []byte

	// Hidden reports whether a and b see no presence of each other, whatever their subscriptions are;
	// nil: they see it.
	Hidden func(a, b *Account) bool

	accounts map[string]*Account // by localpart
}

// NewDirectory makes a Directory without accounts.
func NewDirectory(domain string) *Directory {
	return &Directory{Domain: domain, accounts: make(map[string]*Account)}
}

// Account is one user as others see it.
type Account struct {
	Local, Bare string
	Nick        string // put into its subscription requests that name none (XEP-0172)
	Accepts     bool   // accepts every subscription request at once

	Roster    []Contact   // sorted by JID
	Pending   []Pending   // incoming requests, oldest first
	Resources []*Resource // bound, oldest first
	Offline   [][]byte    // stored messages, oldest first
}

// Resource is one bound resource of an account, or what a service plays itself.
type Resource struct {
	Account    *Account
	Name, Full string

	// Send queues one whole stanza; it never waits. The caller does not change it afterwards. nil:
	// the service plays this resource, and reads by itself what is sent to it.
	Send func([]byte)

	Available  bool
	Interested bool // has fetched the roster, so it gets pushes (RFC 6121, 2.1.6)
	Priority   int8
	Presence   []byte // what is inside of its presence
}

// Contact is one roster item. Two booleans say what RFC 6121, 2.1.2.5 calls to, from and
// both.
type Contact struct {
	JID      string
	Account  *Account // nil: an address outside of the service, which never answers
	Name     string
	Groups   []string
	To, From bool // we see its presence; it sees ours
	Ask      bool // our request waits for an answer
	Added    bool // the user has added it, and it did not only come by a subscription
}

// Pending is a subscription request that has not been answered (RFC 6121, 3.1.3).
type Pending struct {
	From          *Account
	Nick, Message string
}

// Add makes an account; it reports false when its localpart is taken.
func (d *Directory) Add(a *Account) bool {
	if d.accounts[a.Local] != nil {
		return false
	}
	d.accounts[a.Local] = a
	return true
}

// Account returns the account with a localpart, or nil.
func (d *Directory) Account(local string) *Account { return d.accounts[local] }

// Subscription of a roster item (RFC 6121, 2.1.2.5).
func (k *Contact) Subscription() perch.Subscription {
	switch {
	case k.To && k.From:
		return perch.SubscriptionBoth
	case k.To:
		return perch.SubscriptionTo
	case k.From:
		return perch.SubscriptionFrom
	}
	return perch.SubscriptionNone
}

// Contact returns the roster item of a bare JID, or nil. The pointer is valid until the
// roster changes.
func (a *Account) Contact(bare string) *Contact {
	i, ok := a.search(bare)
	if !ok {
		return nil
	}
	return &a.Roster[i]
}

func (a *Account) search(bare string) (int, bool) {
	return slices.BinarySearchFunc(a.Roster, bare, func(k Contact, j string) int { return strings.Compare(k.JID, j) })
}

// Ensure returns the roster item of a bare JID, made empty if there is none.
func (a *Account) Ensure(bare string, other *Account) *Contact {
	i, ok := a.search(bare)
	if !ok {
		a.Roster = slices.Insert(a.Roster, i, Contact{JID: bare, Account: other})
	}
	return &a.Roster[i]
}

// PendingFrom returns the index of a request, or -1.
func (a *Account) PendingFrom(other *Account) int {
	return slices.IndexFunc(a.Pending, func(p Pending) bool { return p.From == other })
}

// Bind adds a resource to its account.
func (a *Account) Bind(r *Resource) { a.Resources = append(a.Resources, r) }

// SignOut takes a resource off its account, and ends its presence.
func (d *Directory) SignOut(r *Resource) {
	r.Account.Resources = slices.DeleteFunc(r.Account.Resources, func(x *Resource) bool { return x == r })
	if r.Available {
		d.Unavailable(r, nil)
	}
}

// Address is where a stanza goes to.
type Address struct {
	Account  *Account // nil: see Bare
	Bare     string
	Resource string
	Domain   bool // the service itself
	Foreign  bool // another domain
}

// Resolve finds the target of a stanza; ok is false for an address that is no JID.
// Addresses in the form that the service hands out are found without being parsed.
func (d *Directory) Resolve(to string) (at Address, ok bool) {
	j := perch.JID(to)
	if a := d.accounts[j.Local()]; a != nil && j.Domain() == d.Domain {
		return Address{Account: a, Bare: a.Bare, Resource: j.Resource()}, true
	}
	p, err := perch.ParseJID(to)
	if err != nil {
		return Address{}, false
	}
	at = Address{Bare: string(p.Bare()), Resource: p.Resource()}
	switch {
	case p.Domain() != d.Domain:
		at.Foreign = true
	case p.Local() == "":
		at.Domain = true
	default:
		at.Account = d.accounts[p.Local()]
	}
	return at, true
}

// Targets returns the resources that get a message for a resource, or for none: the one named, else
// the available ones of the highest priority that is not negative (RFC 6121, 8.5).
func (a *Account) Targets(resource string) []*Resource {
	var best []*Resource
	for _, r := range a.Resources {
		if resource != "" && r.Name == resource {
			return []*Resource{r}
		}
		switch {
		case !r.Available || r.Priority < 0:
		case len(best) == 0 || r.Priority > best[0].Priority:
			best = []*Resource{r}
		case r.Priority == best[0].Priority:
			best = append(best, r)
		}
	}
	return best
}

// StampLayout is a time of XEP-0082 in UTC with milliseconds.
const StampLayout = "2006-01-02T15:04:05.000Z"

// Store keeps a message for an account that is offline, with the time of now (XEP-0160); it reports
// false when the store is full. head is the message without its end tag.
func (d *Directory) Store(a *Account, head []byte) bool { return d.StoreAt(a, head, time.Now()) }

// StoreAt is Store of a message that came at a time before now.
func (d *Directory) StoreAt(a *Account, head []byte, at time.Time) bool {
	if len(a.Offline) >= d.OfflineMax {
		return false
	}
	head = append(head, "<delay xmlns='"+NSDelay+"'"...)
	head = AppendAttr(head, "from", d.Domain)
	head = AppendAttr(head, "stamp", at.UTC().Format(StampLayout))
	a.Offline = append(a.Offline, append(head, ">Offline storage</delay></message>"...))
	return true
}

// FlushOffline hands the stored messages, in order, to a resource that can now take them.
func (r *Resource) FlushOffline() {
	for _, m := range r.Account.Offline {
		r.Send(m)
	}
	r.Account.Offline = nil
}
