package perch

// Show is the availability of RFC 6121, 4.7.2.1; "" means plainly available (null in JSON).
type Show string

// The four values of show.
const (
	ShowAway Show = "away"
	ShowChat Show = "chat"
	ShowDND  Show = "dnd"
	ShowXA   Show = "xa"
)

// Valid says whether s may be sent.
func (s Show) Valid() bool {
	switch s {
	case "", ShowAway, ShowChat, ShowDND, ShowXA:
		return true
	}
	return false
}

// MarshalJSON writes null for "".
func (s Show) MarshalJSON() ([]byte, error) {
	if s == "" {
		return []byte("null"), nil
	}
	return []byte(`"` + string(s) + `"`), nil
}

// Resource is one connected device of a buddy.
type Resource struct {
	Resource  string `json:"resource"`
	Show      Show   `json:"show"`
	Status    string `json:"status"`
	Priority  int8   `json:"priority"`
	UpdatedAt Time   `json:"updated_at"`
}

// Presence is all that is known of one buddy's availability: the answer of
// GET /v1/presence/{jid} and the data of a presence event. Show, Status and Priority are
// those of the resource with the highest priority, the latest one among equals. A
// Presence that was handed out is never changed again.
type Presence struct {
	JID       JID        `json:"jid"` // bare
	Available bool       `json:"available"`
	Show      Show       `json:"show"`
	Status    string     `json:"status"`
	Priority  int8       `json:"priority"`
	Resources []Resource `json:"resources"` // never null
	UpdatedAt Time       `json:"updated_at"`
	Stale     bool       `json:"stale"` // known from before the stream was lost
}

// OwnPresence is the availability of the account on this session.
type OwnPresence struct {
	Available bool   `json:"available"`
	Show      Show   `json:"show"`
	Status    string `json:"status"`
	Priority  int8   `json:"priority"`
}
