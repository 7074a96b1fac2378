package perch

// ArchiveQuery asks for a page of the messages exchanged with one account. Before and
// After are ids of earlier answers; Start and End are times. Only Before or only After. With a
// Text it is a page of those that have it, as the archive understands that (XEP-0431).
type ArchiveQuery struct {
	With   JID // "": all accounts
	Limit  int
	Before string // "" with Last: the newest page
	After  string
	Start  Time
	End    Time
	ID     string // of one stanza alone; an archive without XEP-0313's extended queries may not heed it
	Text   string
}

// ArchiveItem is one archived message: the same type as a live one, with the same fields.
// Its StanzaID is its id in the archive, its Source [SourceArchive]; its ID is the id
// attribute of the message (RFC 6120, 8.1.3), "" where the archive does not keep it. Sent
// says that the account wrote it, on whatever device. What live would be an event.dropped is an
// item as well, with the same reason in Dropped.
type ArchiveItem struct {
	MessageIn
	Time Time // when it was archived
	// Dropped is a reason of event.dropped: this is something that cannot be shown, of which
	// the message says all that is known but the text. "" of a message.
	Dropped string
	// Invited says more of an invitation to a room, of which Dropped is room_invitation.
	Invited *RoomInvitation
	// TimeIsArrival says that the archive gave no time that can be read: Time is when the
	// item arrived here.
	TimeIsArrival bool
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
