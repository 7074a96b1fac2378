package perch

// VCard is XEP-0054 (vcard-temp) as far as people look at it. Unknown fields of the
// upstream's card are left out, never guessed.
type VCard struct {
	JID          JID      `json:"jid"`
	FullName     string   `json:"full_name,omitempty"`
	Nickname     string   `json:"nickname,omitempty"`
	GivenName    string   `json:"given_name,omitempty"`
	FamilyName   string   `json:"family_name,omitempty"`
	Emails       []string `json:"emails,omitempty"`
	Phones       []string `json:"phones,omitempty"`
	Organization string   `json:"organization,omitempty"`
	Title        string   `json:"title,omitempty"`
	Birthday     string   `json:"birthday,omitempty"`
	URL          string   `json:"url,omitempty"`
	Description  string   `json:"description,omitempty"`
	Photo        *Photo   `json:"photo,omitempty"`
	FetchedAt    Time     `json:"fetched_at"` // the age of a cached card
}

// Photo is the PHOTO of a vCard: bytes (BINVAL) or an address (EXTVAL).
type Photo struct {
	Type string `json:"type,omitempty"` // as sniffed, never as claimed
	Hash string `json:"hash,omitempty"` // hex SHA-1 of the bytes (XEP-0153)
	Size int    `json:"size,omitempty"`
	URL  string `json:"url,omitempty"` // EXTVAL
	Data []byte `json:"-"`             // BINVAL; served by GET /v1/vcards/{jid}/photo
}
