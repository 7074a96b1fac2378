package perch

// Show is the availability of RFC 6121, 4.7.2.1; the zero value means plainly available
// (null in JSON). It is one byte because a session keeps one for each device it knows.
type Show uint8

// The values of show.
const (
	ShowNone Show = iota
	ShowAway
	ShowChat
	ShowDND
	ShowXA
)

var shows = words{"", "away", "chat", "dnd", "xa"}

// ParseShow reads the wire form; ok is false for what RFC 6121 does not know.
func ParseShow(s string) (show Show, ok bool) {
	i, ok := shows.find(s)
	return Show(i), ok
}

// Valid reports whether s is one of the values above.
func (s Show) Valid() bool { return int(s) < len(shows) }

// String returns the wire form, "" for plainly available.
func (s Show) String() string { return shows.text(uint8(s)) }

// MarshalJSON writes null for plainly available.
func (s Show) MarshalJSON() ([]byte, error) { return shows.json(uint8(s)), nil }

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Show) UnmarshalJSON(b []byte) error { return shows.parse(b, (*uint8)(s)) }

// Resource is one connected device of a buddy.
type Resource struct {
	Resource  string `json:"resource"`
	Show      Show   `json:"show"`
	Priority  int8   `json:"priority"`
	Status    string `json:"status"`
	UpdatedAt Time   `json:"updated_at"` // when it was said; null: it was held back, and its time cannot be read
}

// Presence is all that is known of one buddy's availability: the answer of
// GET /v1/presence/{jid} and the data of a presence event. Show, Status and Priority are
// those of the resource with the highest priority, the latest one among equals. A
// Presence that was returned is never changed again.
type Presence struct {
	JID       JID        `json:"jid"` // bare
	Available bool       `json:"available"`
	Show      Show       `json:"show"`
	Priority  int8       `json:"priority"`
	Stale     bool       `json:"stale"` // known from before the stream was lost
	Status    string     `json:"status"`
	Resources []Resource `json:"resources"`  // never null
	UpdatedAt Time       `json:"updated_at"` // null: not known
}

// OwnPresence is the availability of the account on this session.
type OwnPresence struct {
	Available bool   `json:"available"`
	Show      Show   `json:"show"`
	Status    string `json:"status"`
	Priority  int8   `json:"priority"`
}
