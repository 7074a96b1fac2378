package perch

// Subscription is the state of RFC 6121, 2.1.2.5, in one byte. The zero value was not
// said; it counts as none.
type Subscription uint8

// The four states, and the one that a roster push uses for an item that is gone.
const (
	SubscriptionNone Subscription = iota + 1
	SubscriptionTo
	SubscriptionFrom
	SubscriptionBoth
	SubscriptionRemove
)

var subscriptions = words{"", "none", "to", "from", "both", "remove"}

// ParseSubscription reads the wire form, for which "" is none too (RFC 6121, 2.1.2.5);
// ok is false for anything else.
func ParseSubscription(s string) (sub Subscription, ok bool) {
	if s == "" {
		return SubscriptionNone, true
	}
	i, ok := subscriptions.find(s)
	return Subscription(i), ok
}

// String returns the wire form.
func (s Subscription) String() string { return subscriptions.text(max(1, uint8(s))) }

// MarshalJSON writes the wire form.
func (s Subscription) MarshalJSON() ([]byte, error) { return subscriptions.json(max(1, uint8(s))), nil }

// UnmarshalJSON reads the wire form.
func (s *Subscription) UnmarshalJSON(b []byte) error { return subscriptions.parse(b, (*uint8)(s)) }

// Buddy is one roster item (RFC 6121, 2.1.2). A Buddy that was returned is never
// changed again.
type Buddy struct {
	JID          JID          `json:"jid"` // bare
	Name         string       `json:"name"`
	Groups       []string     `json:"groups"` // never null
	Subscription Subscription `json:"subscription"`
	Ask          Ask          `json:"ask"`
	Approved     bool         `json:"approved"`
	// Mutual says that our request waits for their answer, or was accepted, and that their
	// own request will be accepted by the gateway, without an invitation.
	Mutual bool `json:"mutual,omitempty"`
	// Nick is the nickname that they give themselves (XEP-0172). Name has it, too, where the roster has no name.
	Nick string `json:"nick,omitempty"`
}

// Ask is AskSubscribe while a request of ours is pending (RFC 6121, 2.1.2.2), else
// AskNone (null in JSON).
type Ask uint8

// The values of ask.
const (
	AskNone Ask = iota
	AskSubscribe
)

var asks = words{"", "subscribe"}

// ParseAsk reads the wire form; ok is false for what RFC 6121 does not know.
func ParseAsk(s string) (ask Ask, ok bool) {
	i, ok := asks.find(s)
	return Ask(i), ok
}

// String returns the wire form, "" for none.
func (a Ask) String() string { return asks.text(uint8(a)) }

// MarshalJSON writes null for none.
func (a Ask) MarshalJSON() ([]byte, error) { return asks.json(uint8(a)), nil }

// UnmarshalJSON reads what MarshalJSON wrote.
func (a *Ask) UnmarshalJSON(b []byte) error { return asks.parse(b, (*uint8)(a)) }

// Invitation is a pending incoming subscription request (RFC 6121, 3.1.3) with the
// nickname that it carried (XEP-0172). It is kept until it is answered or cancelled:
// servers repeat requests only at a new login.
type Invitation struct {
	JID        JID    `json:"jid"`
	Nick       string `json:"nick"`
	Message    string `json:"message"`
	ReceivedAt Time   `json:"received_at"`
}

// RosterResult is a whole roster, or the news that the one we have is still right.
type RosterResult struct {
	Unchanged bool
	Items     []Buddy
	Version   string
	LeftOut   int // items that the server has and that are over a limit: Items lacks them
}
