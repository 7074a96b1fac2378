package api

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/ttlmap"
	"github.com/perch-im/perch/sessions"
)

// The audit lines of requests. They are at info, have audit=true, and say who did what to which
// session; never with a credential or a JID. Those of what no client asked for are of sessions.
const (
	auditSignedIn  = "signed in"
	auditSignedOut = "signed out"
	auditMinted    = "token minted"
	auditMade      = "token made"
	auditRevoked   = "token revoked"
	auditReplaced  = "credential replaced"
	auditPassword  = "password changed"
	auditWebhook   = "webhook changed"
	auditPush      = "push subscription changed"
	auditRefused   = "credential refused"
)

// audit writes a line about a session. The node that did it writes it, once, with the address of
// the client of the node that was asked.
func (a *API) audit(r *http.Request, what string, session sessions.ID, more ...slog.Attr) {
	if !a.log.Enabled(r.Context(), slog.LevelInfo) {
		return
	}
	of := noteOf(r.Context())
	note := requestNote{id: of.id, client: of.client, session: session}
	attrs := a.appendWho(append(make([]slog.Attr, 0, 10), slog.Bool("audit", true)), &note)
	a.log.LogAttrs(r.Context(), slog.LevelInfo, what, append(attrs, more...)...) //nolint:sloglint // one of the constants
}

// auditToken is audit for a token: which one it is, by its id and the name that its client has given it, and
// which token has done it.
func (a *API) auditToken(r *http.Request, what string, by sessions.Access, id, name string) {
	a.audit(r, what, by.Session.ID(), slog.String("token_id", id), slog.String("token_name", name), slog.String("by", by.ID))
}

// auditReader is audit for a reader of the log, by the id that its client has given it: what was done to it, and
// by which token. Where it is, is a secret.
func (a *API) auditReader(r *http.Request, what string, by sessions.Access, id, change string) {
	a.audit(r, what, by.Session.ID(), slog.String("id", id), slog.String("change", change), slog.String("by", by.ID))
}

// auditAccount is the beginning of an account's keyed hash: equal for one account, in all lines and
// on all nodes, and nothing that leads to its JID. Key is of sessions.Manager.AccountKey; "" when
// the credential names no account.
func auditAccount(key string) slog.Attr {
	if key == "" {
		return slog.Attr{} // left out
	}
	return slog.String("account", key[:min(12, len(key))])
}

// auditRefusal writes a line when err means that a credential was refused, within the bound of the
// client's address. Credential says what it was, account is as for auditAccount.
func (a *API) auditRefusal(r *http.Request, credential, account string, err error) {
	if kind := perch.KindOf(err); err == nil || kind != perch.KindUnauthorized && kind != perch.KindForbidden {
		return
	}
	if n, write := a.refusals.count(addressKey(r), time.Now()); write {
		a.audit(r, auditRefused, noteOf(r.Context()).session, slog.String("credential", credential), slog.Int("refusals", n), auditAccount(account))
	}
}

const (
	refusalWindow  = time.Minute
	refusalsEach   = 5 // lines; after them one each time that the number has doubled
	maxRefusalRows = 50_000
)

// refusalLines bounds the lines about refused credentials to a few for each address and minute. The
// number in the last of them is at least half of what there was, so that a flood is seen as one.
type refusalLines struct {
	mu   sync.Mutex
	rows ttlmap.Map[string, *refusalRow] // by addressKey, each for one window
}

type refusalRow struct{ n, next int }

func newRefusalLines() *refusalLines {
	return &refusalLines{rows: ttlmap.Map[string, *refusalRow]{Max: maxRefusalRows}}
}

// count counts a refusal, and returns how many the address had in its window and whether to write a
// line.
func (l *refusalLines) count(key string, now time.Time) (n int, write bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	row, ok := l.rows.Get(key, now)
	if !ok {
		row = &refusalRow{next: 1}
		l.rows.Put(key, row, now, refusalWindow)
	}
	row.n++
	if row.n < row.next {
		return row.n, false
	}
	row.next = row.n + 1
	if row.n >= refusalsEach {
		row.next = 2 * row.n
	}
	return row.n, true
}
