package testkit

import (
	"fmt"
	"strings"
)

// RosterItem is an entry of an account's roster without a subscription.
type RosterItem struct{ JID, Name, Group string }

// rosterStore is a server whose storage takes a whole roster at once: thousands of single
// requests would take minutes.
type rosterStore interface {
	storeRoster(t TB, local, domain string, items []RosterItem)
}

// StoreRoster puts a roster into the server's storage. The account must not have signed in
// before: servers keep rosters in memory. On ejabberd it needs [EjabberdOptions.SQLRoster].
func (s *Server) StoreRoster(t TB, bareJID string, items []RosterItem) {
	t.Helper()
	store, ok := s.accounts.(rosterStore)
	if !ok {
		t.Fatalf("testkit: %s takes no roster at once", s.Name)
	}
	local, domain, _ := strings.Cut(bareJID, "@")
	store.storeRoster(t, local, domain, items)
}

// storeRoster writes the file that Prosody's internal storage has for a roster.
func (a *prosodyAccounts) storeRoster(t TB, local, domain string, items []RosterItem) {
	t.Helper()
	var b strings.Builder
	b.WriteString("return {\n\t[false] = { version = 1 };\n")
	for _, i := range items {
		fmt.Fprintf(&b, "\t[%s] = { subscription = \"none\"; name = %s; groups = { [%s] = true } };\n",
			quoteLua(i.JID), quoteLua(i.Name), quoteLua(i.Group))
	}
	b.WriteString("}\n")
	writeFile(t, a.dir, "data/"+prosodyName(domain)+"/roster/"+prosodyName(local)+".dat", a.cred, []byte(b.String()))
}

// quoteLua makes a string of Lua that needs no other escapes: names have no control characters.
func quoteLua(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// prosodyName is a part of a path as Prosody encodes it.
func prosodyName(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}

// storeRoster writes into the tables of mod_roster.
func (a *ejabberdAccounts) storeRoster(t TB, local, _ string, items []RosterItem) {
	t.Helper()
	if a.database == "" {
		t.Fatalf("testkit: this ejabberd has no SQL roster")
	}
	var b strings.Builder
	b.WriteString("BEGIN;\n")
	for _, i := range items {
		fmt.Fprintf(&b, "INSERT INTO rosterusers (username, jid, nick, subscription, ask, askmessage, server, subscribe, type) VALUES (%s, %s, %s, 'N', 'N', '', 'N', '', 'item');\n",
			quoteSQL(local), quoteSQL(i.JID), quoteSQL(i.Name))
		fmt.Fprintf(&b, "INSERT INTO rostergroups (username, jid, grp) VALUES (%s, %s, %s);\n", quoteSQL(local), quoteSQL(i.JID), quoteSQL(i.Group))
	}
	b.WriteString("COMMIT;\n")
	p := a.server.proc
	script := writeFile(t, p.dir, "roster.sql", p.cred, []byte(b.String()))
	run(t, p.dir, program(t, "sqlite3", "sqlite3"), "-bail", "-cmd", ".timeout 5000", a.database, ".read "+script)
}
