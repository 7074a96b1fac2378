package perch

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"time"
)

// Secret is a token or a password. It is never shown by accident: String, JSON, fmt
// and slog all give "[secret]". Reveal is the one way to the text.
type Secret struct{ text string }

// NewSecret wraps a token or password.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the text. Call it where the secret is used, never to print it.
func (s Secret) Reveal() string { return s.text }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.text == "" }

// Equal compares in a time that tells nothing of either, not even how long it is.
func (s Secret) Equal(o Secret) bool {
	x, y := sha256.Sum256([]byte(s.text)), sha256.Sum256([]byte(o.text))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func (s Secret) String() string { return "[secret]" }

// GoString keeps %#v from printing the text.
func (s Secret) GoString() string { return "perch.Secret" }

// MarshalJSON never writes the text.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"[secret]"`), nil }

// LogValue never logs the text.
func (s Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// Account says who signs in and where. With a pass-through access token JID is empty:
// the server decides it and Login tells (X-MESSENGER-OAUTH2, Prosody's OAUTHBEARER).
type Account struct {
	Upstream  string // name of a configured upstream
	JID       JID    // bare; may be empty
	Password  Secret // exactly one of Password and Token is set
	Token     Secret
	Mechanism string // SASL name to insist on, or "" for the upstream's own order
	Resource  string // wanted resource, or "" to let the server choose
	// Proved is the SASL mechanism of the account's last login (Login.Mechanism), or "". A password is
	// not shown in a weaker one, unless Mechanism or the upstream names it.
	Proved string

	// Agent is the id of this client among those of the account (XEP-0388, 2.3), a random UUID that
	// stays with its session; "": the client has none, and gets no FastToken.
	Agent string
	// Archived says that what arrives while the account is offline is read from its archive: the server
	// need not keep it elsewhere, which a login in one step drops (XEP-0386, 4).
	Archived bool
	// Fast signs in in place of Password, once and again; the zero value: there is none.
	Fast FastToken
}

// FastToken is what a server gives to a client that has signed in with a password, to sign in with next
// time (XEP-0484). It is as secret as the password, and is good for one client and one mechanism.
type FastToken struct {
	Mechanism string // SASL name, such as HT-SHA-256-EXPR
	Token     Secret
	Count     uint64 // of logins that were tried with it, the one that is asked for included
	Expires   Time   // 0: not known
}

// IsZero reports whether there is no token.
func (f FastToken) IsZero() bool { return f.Token.IsZero() }

// Capabilities says what an upstream can do beyond roster, presence and chat. Commands
// that it cannot do are refused with KindFeatureUnsupported before anything is sent.
type Capabilities struct {
	EditRoster   bool   // rename, groups, remove (not on Messenger: adding is the only change)
	StoreVCard   bool   // XEP-0054 set
	LookupJID    bool   // jidlookup
	Archive      string // "", "136" (XEP-0136, Messenger) or "313" (XEP-0313)
	ArchiveMax   int    // most messages one answer can hold; 0: no such limit
	ChatOnly     bool   // only kind "chat" may be sent
	StreamResume bool   // XEP-0198 with resume
	ClientState  bool   // XEP-0352
	ReadSync     bool   // read positions of the account's devices (XEP-0490)
	PEP          bool   // nodes of the account (XEP-0163), such as avatars (XEP-0084)
	// AvatarConversion says that the server makes an avatar the photo of the card, and back (XEP-0398).
	AvatarConversion bool
	Search           bool // the archive is searched for a text (XEP-0431), as far as it has said so
}

// Delivery returns the level that the upstream allows: "A" stream management and
// archive, "B" archive only, "C" stream management only, "D" neither.
func (c Capabilities) Delivery() string {
	paged := c.Archive == "313"
	switch {
	case c.StreamResume && paged:
		return "A"
	case paged:
		return "B"
	case c.StreamResume:
		return "C"
	}
	return "D"
}

// Features lists the capabilities by name, sorted, for GET /v1/session.
func (c Capabilities) Features() []string {
	f := []string{}
	related := c != Capabilities{} && !c.ChatOnly
	for _, p := range []struct {
		on   bool
		name string
	}{
		{c.Archive != "", "archive"}, {c.LookupJID, "jid-lookup"},
		{related, "message-edit"}, {related, "message-react"}, {related, "message-retract"},
		{c.ReadSync, "read-sync"}, {related, "rooms"}, {c.EditRoster, "roster-edit"}, {c.Search, "search"},
		{c.StreamResume, "stream-resume"}, {c.StoreVCard, "vcard-store"},
	} {
		if p.on {
			f = append(f, p.name)
		}
	}
	return f
}

// Login is what a connection knows once it is signed in.
type Login struct {
	JID          JID // full, as bound by the server (RFC 6120, 7)
	Capabilities Capabilities
	Resumed      bool   // an earlier stream was resumed (XEP-0198); no bind took place
	Mechanism    string // SASL name that the account proved itself with; "": not known, or the token of Account.Fast did
	// Fast is the token for the next login: one that the server has just given, or else that of the
	// account. The zero value: there is none, or the server refuses it.
	Fast FastToken
}

// ConnStats is what GET /v1/session shows of a connection.
type ConnStats struct {
	LastStanzaAt Time
	PingRTT      time.Duration // 0: not measured yet
}
