package perch

// Subscription is the state of RFC 6121, 2.1.2.5.
type Subscription string

// The four states, and the one that a roster push uses for an item that is gone.
const (
	SubscriptionNone   Subscription = "none"
	SubscriptionTo     Subscription = "to"
	SubscriptionFrom   Subscription = "from"
	SubscriptionBoth   Subscription = "both"
	SubscriptionRemove Subscription = "remove"
)

// Buddy is one roster item (RFC 6121, 2.1.2). A Buddy that was handed out is never
// changed again.
type Buddy struct {
	JID          JID          `json:"jid"` // bare
	Name         string       `json:"name"`
	Groups       []string     `json:"groups"` // never null
	Subscription Subscription `json:"subscription"`
	Ask          Ask          `json:"ask"`
	Approved     bool         `json:"approved"`
}

// Ask is "subscribe" while a request of ours is pending, else "" (null in JSON).
type Ask string

// AskSubscribe is the one value of ask (RFC 6121, 2.1.2.2).
const AskSubscribe Ask = "subscribe"

// MarshalJSON writes null for "".
func (a Ask) MarshalJSON() ([]byte, error) {
	if a == "" {
		return []byte("null"), nil
	}
	return []byte(`"` + string(a) + `"`), nil
}

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
}
