package perch

// ArchiveQuery asks for a page of the messages exchanged with one account. Before and
// After are ids of earlier answers; Start and End are times. Only Before or only After.
type ArchiveQuery struct {
	With   JID
	Limit  int
	Before string // "" with Last: the newest page
	After  string
	Start  Time
	End    Time
}

// ArchiveItem is one archived message.
type ArchiveItem struct {
	ID        string `json:"id"`
	From      JID    `json:"from"`
	To        JID    `json:"to"`
	Direction string `json:"direction"` // "in" or "out"
	Body      string `json:"body"`
	Time      Time   `json:"time"`
	// MessageID is the id attribute of the archived message (RFC 6120, 8.1.3), by which a copy
	// of it that came another way is known; left out where the archive does not keep it.
	MessageID string `json:"message_id,omitempty"`
}

// ArchivePage is oldest first. Complete says that the archive itself holds nothing more
// in the asked direction; the Messenger archive (XEP-0136, last ten) can never say so
// when it answers with as many as it may.
type ArchivePage struct {
	Items    []ArchiveItem
	First    string // ids for paging; "" on an archive without paging
	Last     string
	Complete bool
}
