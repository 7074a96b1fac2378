package ledger

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// patience is how long the preparations of a run may take, each.
const patience = 90 * time.Second

// await asks again and again until check is content, or fails the run.
func (w *world) await(what string, check func() error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	for {
		err := check()
		if err == nil {
			return
		}
		if !pause(ctx, 200*time.Millisecond) {
			w.t.Fatalf("ledger: waited in vain for %s: %v", what, err)
		}
	}
}

// signIn opens the sessions of the accounts, with access tokens of the XMPP server.
func (w *world) signIn() {
	w.t.Helper()
	for _, a := range w.accounts {
		access := w.server.IssueToken(w.t, a.JID)
		a.access.Store(&access)
		got, err := a.insist(w.ctx, http.MethodPost, "/v1/session", a.credential())
		var session struct{ Token string }
		if err == nil {
			err = got.decode(&session)
		}
		if err != nil {
			w.t.Fatalf("ledger: %v", err)
		}
		a.token = session.Token
	}
	for _, a := range w.accounts {
		w.befriend(a)
	}
	w.await("the sessions to be online", w.calmed)
}

// credential is what an account signs in with.
func (a *account) credential() map[string]string {
	c := map[string]string{"jid": a.JID, "mechanism": "X-OAUTH2", "token": *a.access.Load()}
	if a.inRooms {
		c["rooms"] = "autojoin"
	}
	return c
}

// impatient signs in again when a session is away while nothing is broken.
// Left alone the gateway backs off for up to a minute, and the session would miss most of
// the faults.
func (w *world) impatient(ctx context.Context, a *account) {
	for away := 0; pause(ctx, time.Second); {
		got, err := a.call(ctx, http.MethodGet, "/v1/session", "", nil)
		var s struct{ State string }
		if err != nil || got.decode(&s) != nil || s.State != "reconnecting" || w.broken.Load() {
			away = 0
			continue
		}
		if away++; away < 3 {
			continue
		}
		away = 0
		got, err = a.call(ctx, http.MethodPost, "/v1/session", "", a.credential())
		w.history.add(Entry{Op: OpNote, Phase: Info, Account: a.Name, Text: fmt.Sprint("signed in again: ", got.status, " ", err)})
	}
}

// befriend makes every foreign account a buddy of the account: they accept and ask back.
func (w *world) befriend(a *account) {
	w.t.Helper()
	for _, p := range w.foreigners() {
		if _, err := a.insist(w.ctx, http.MethodPost, "/v1/buddies", map[string]string{"jid": p.JID}); err != nil {
			w.t.Fatalf("ledger: %v", err)
		}
	}
	for _, s := range w.senders {
		a.peers = append(a.peers, s.JID)
	}
	for _, r := range w.receivers {
		a.peers = append(a.peers, r.JID)
	}
	for name, p := range w.foreigners() {
		w.await(name+" as a buddy of "+a.Name, func() error { return a.knows(w.ctx, p) })
	}
	w.history.add(Entry{Op: OpRoster, Phase: Invoke, Account: a.Name, N: len(w.foreigners()) + a.stored})
}

// knows is nil when the subscription with a buddy goes both ways.
func (a *account) knows(ctx context.Context, p person) error {
	jid := url.PathEscape(p.JID)
	got, err := a.call(ctx, http.MethodGet, "/v1/buddies/"+jid, "", nil)
	var b struct{ Subscription string }
	if err != nil || got.status != http.StatusOK || got.decode(&b) != nil {
		return fmt.Errorf("%v %s", err, got.problem())
	}
	if b.Subscription != "both" {
		// Some ask before they were asked, as people do.
		_, _ = a.call(ctx, http.MethodPost, "/v1/invitations/"+jid+"/accept", "", nil)
		return fmt.Errorf("%s has the subscription %q", p.Name, b.Subscription)
	}
	return nil
}

// calmed is nil when every session is online.
func (w *world) calmed() error {
	for _, a := range w.accounts {
		got, err := a.call(w.ctx, http.MethodGet, "/v1/session", "", nil)
		var s struct{ State, Delivery string }
		switch {
		case err != nil:
			return err
		case got.decode(&s) != nil || got.status != http.StatusOK:
			return fmt.Errorf("%s: %s", a.Name, got.problem())
		case s.State != "online":
			return fmt.Errorf("%s is %s", a.Name, s.State)
		case s.Delivery != "A":
			return fmt.Errorf("%s has the level of delivery %s: this server cannot show what is promised", a.Name, s.Delivery)
		}
	}
	return nil
}
