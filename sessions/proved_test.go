package sessions_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// TestProvedMechanism: every login of a session, and every verification of a credential for it, is told
// how the account proved itself the last time, over lost links and restarts.
func TestProvedMechanism(t *testing.T) {
	inWorld(t, func(w *world) {
		var told []string
		mechanism := "SCRAM-SHA-256"
		w.up.Edit(func(d *fakexmpp.Data) {
			d.SignIn = func(_ context.Context, req sessions.DialRequest) (perch.Login, error) {
				told = append(told, req.Account.Proved)
				return perch.Login{JID: alice + "/perch", Mechanism: mechanism}, nil
			}
		})
		acc := perch.Account{Upstream: "net", JID: alice, Password: perch.NewSecret("good")}
		token, s, _, err := w.m.SignIn(w.ctx(), acc)
		must(t, "SignIn", err)
		synctest.Wait()
		w.lose(linkLost)
		must(t, "ReplaceCredentials", w.m.ReplaceCredentials(w.ctx(), s, perch.Account{Password: perch.NewSecret("good-fresh")}))
		mechanism = "" // a login that does not say so changes nothing
		w.lose(linkLost)
		w.restart()
		_, err = w.m.Authenticate(w.ctx(), token)
		must(t, "Authenticate", err)
		synctest.Wait()
		want := []string{"", "SCRAM-SHA-256", "SCRAM-SHA-256", "SCRAM-SHA-256", "SCRAM-SHA-256"}
		if !slices.Equal(told, want) {
			t.Errorf("the logins were told %q, want %q", told, want)
		}
	}, durable, sealing(1))
}

// TestArchivedAccount: a login is told that the server may drop what it has kept once there is a place in
// the archive to read on from, and always which client of the account it is.
func TestArchivedAccount(t *testing.T) {
	inWorld(t, func(w *world) {
		var told []bool
		agents := map[string]bool{}
		w.up.Edit(func(d *fakexmpp.Data) {
			d.SignIn = func(_ context.Context, req sessions.DialRequest) (perch.Login, error) {
				told = append(told, req.Account.Archived)
				agents[req.Account.Agent] = true
				return perch.Login{JID: alice + "/perch", Capabilities: perch.Capabilities{Archive: "313"}}, nil
			}
		})
		token, _, _, err := w.m.SignIn(w.ctx(), perch.Account{Upstream: "net", JID: alice, Password: perch.NewSecret("good")})
		must(t, "SignIn", err)
		synctest.Wait()
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Archive = perch.ArchivePage{Last: "1", Complete: true, Items: []perch.ArchiveItem{{MessageIn: perch.MessageIn{Message: perch.Message{ID: "m", StanzaID: "1", From: bob, Body: "hi"}}}}}
		})
		w.lose(linkLost)
		w.restart()
		_, err = w.m.Authenticate(w.ctx(), token)
		must(t, "Authenticate", err)
		synctest.Wait()
		if want := []bool{false, false, true}; !slices.Equal(told, want) {
			t.Errorf("the logins were told %v, want %v", told, want)
		}
		if len(agents) != 1 || agents[""] {
			t.Errorf("the logins were of %d clients, want one that has an id", len(agents))
		}
	}, durable, sealing(1))
}
