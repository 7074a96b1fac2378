package sessions

import (
	"context"
	"time"

	"github.com/perch-im/perch"
)

// DialRequest says what to sign in to. Resume is what StreamState of an earlier
// connection gave, or nil: the dialler resumes that stream (XEP-0198) when the server
// lets it, and signs in afresh otherwise; Login.Resumed says which.
type DialRequest struct {
	Account perch.Account
	Resume  []byte
}

// DialFunc signs in one XMPP connection; ctx covers the sign-in only. The kind of the
// error decides what the session does: see decide in supervisor.go.
type DialFunc func(ctx context.Context, req DialRequest) (Conn, error)

// VerifyFunc asks the upstream whether it accepts a credential, and returns the bare JID of
// the account that it opens. It does so on a connection of its own, which must not disturb
// one that is in use: no resource of a live session is taken, and no presence is sent. The
// kinds of its errors are those of DialFunc.
type VerifyFunc func(ctx context.Context, acc perch.Account) (perch.JID, error)

// EndTokenFunc has the upstream end the token of an account (perch.Account.Fast). Nil in Options: tokens
// end by themselves.
type EndTokenFunc func(ctx context.Context, acc perch.Account) error

// Sink takes what arrives, in stream order, from the connection's reader goroutine. It
// may block: that holds the stream back, and nothing else. It may run the session on the
// reader's goroutine, so the reader holds nothing that a method of the Conn may wait for. Seq numbers what was
// delivered from 1; the session gives it back to Handled once it is committed.
type Sink = func(seq uint64, in perch.Inbound)

// Conn is one signed-in XMPP connection. It is safe for concurrent use. Methods that
// take a context wait for an answer of the upstream and end with the context, with
// their own time limit (an error of KindUpstreamTimeout) or with the connection
// (KindSessionOffline). They must not be called from the session's owner goroutine.
type Conn interface {
	Login() perch.Login

	// Start begins to read. It is called once; no method below works before it. Ended is called
	// once, when Done is closed, also if that was before Start; it does not wait, and may be
	// called from within a method of the Conn.
	Start(sink Sink, ended func())

	// Send queues a stanza and returns its number, counted from 1, that AckIn refers to.
	// It never waits. The error is KindSessionOffline when the connection has ended.
	Send(out perch.Outbound) (uint64, error)

	// Handled says that everything delivered up to seq is committed: only then may it be
	// acknowledged to the server (XEP-0198, 4).
	Handled(seq uint64)

	// Roster fetches the roster (RFC 6121, 2.1.3). With a version that the server still
	// has, ok is false and items are nil: nothing changed.
	Roster(ctx context.Context, version string) (perch.RosterResult, error)
	SetRosterItem(ctx context.Context, jid perch.JID, name string, groups []string) error
	RemoveRosterItem(ctx context.Context, jid perch.JID) error

	VCard(ctx context.Context, jid perch.JID) (perch.VCard, error)
	SetVCard(ctx context.Context, card perch.VCard) error
	Archive(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error)
	LookupJID(ctx context.Context, account string) (perch.JID, error)

	// PublishRead tells the other devices of the account how far a conversation was read, by the id
	// of a message in the own archive, or in that of a room (read.StanzaID; read.ID is not used), and
	// ReadPositions fetches what they have told (XEP-0490).
	// Both are of KindFeatureUnsupported where the server cannot keep that safely. What is told
	// meanwhile arrives as a ReadIn.
	PublishRead(ctx context.Context, read perch.ReadIn) error
	ReadPositions(ctx context.Context) ([]perch.ReadIn, error)

	// Ping measures one round trip (XEP-0199). The connection pings by itself when it is
	// quiet; Stats has the last figure.
	Ping(ctx context.Context) (time.Duration, error)
	Stats() perch.ConnStats

	// StreamState is what a later DialRequest.Resume needs, or nil. It holds the stanzas
	// that the server has not acknowledged: a connection that resumes writes them again
	// before anything else, so the session never sends a stanza twice on one stream.
	StreamState() []byte

	// Done is closed once, when the connection has ended; Err then says why.
	Done() <-chan struct{}
	Err() error

	// Close signs out: unavailable presence, </stream:stream>, socket. A closed stream
	// cannot be resumed. Abort drops the TCP connection as it is.
	Close(ctx context.Context) error
	Abort()
}

// ResumeCheckpointer is what a Conn may have besides: StreamState as it will be once everything that
// was delivered up to seq is handled. The session commits it together with the events of
// those stanzas, so that after a crash the server sends again exactly what is not in the
// log. Without it a resumed stream repeats the last stanzas, and they are distinguished by
// their ids.
type ResumeCheckpointer interface{ StreamStateAt(seq uint64) []byte }

// ResumeReporter is what a resumed Conn may have besides: the messages that were on the stream
// already, by id, with the number that AckIn will refer to, or 0 when the server has the
// message. With more, the server has received stanzas beyond the state that was resumed, and
// a message that is not among written may be one of them; without, such a message never left.
// Of a Conn that is not resumed written is nil; or, when the server has reported how much of
// the earlier stream it had, the messages that are with it.
type ResumeReporter interface {
	ResumedMessages() (written map[string]uint64, more bool)
}

// ArchiveSearcher is what a Conn may have besides: whether the own archive has said that it can be
// searched for a text. It asks nothing. Before there is an answer it is false, and a query with a Text
// waits for that.
type ArchiveSearcher interface{ SearchesArchive() bool }
