package ledger

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

const (
	settling = 2 * time.Minute // how long the clients may take to show the same
	settled  = 4 * time.Second // how long nothing may change
)

// settle waits until the clients of each account show the same and nothing changes any more, and
// then has what they show written down. Beside them is one for each account that has no past: it
// shows what the archive has.
func (w *world) settle(ctx context.Context) {
	moved, since := -1, time.Now()
	w.until(settling, func() bool {
		now := 0
		for _, a := range w.accounts {
			for _, c := range a.clients {
				now += c.view.changes()
			}
		}
		if now != moved {
			moved, since = now, time.Now()
		}
		return time.Since(since) > settled && w.agreed() || !pause(ctx, 200*time.Millisecond)
	})
	for _, a := range w.accounts {
		for _, c := range a.clients {
			c.view.shown(w.history, c.name, a.Name)
		}
		w.showPages(ctx, a)
	}
}

// changes is how many the view has seen.
func (v *view) changes() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.moved
}

// states are what the view shows of the messages of which something was said.
func (v *view) states() map[viewKey]string {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := map[viewKey]string{}
	for k, m := range v.list {
		if !m.plain() {
			all[k] = m.String()
		}
	}
	return all
}

// agreed reports whether all clients of each account show the same.
func (w *world) agreed() bool {
	for _, a := range w.accounts {
		first := a.clients[0].view.states()
		for _, c := range a.clients[1:] {
			if !maps.Equal(first, c.view.states()) {
				return false
			}
		}
	}
	return true
}

// showPages reads the whole archive of an account, as a client without a past.
func (w *world) showPages(ctx context.Context, a *account) {
	since := w.history.begun.Add(-time.Minute).UTC().Format(time.RFC3339)
	for range 10 {
		v, r := newView(w.names), newArchiveRead(a, w.names, func(*wireMessage) {})
		if !slices.ContainsFunc(a.peers, func(peer string) bool { return !r.read(ctx, peer, since) }) {
			v.pages(r.whole)
			v.shown(w.history, a.Name+"/pages", a.Name)
			return
		}
		if !pause(ctx, time.Second) {
			return
		}
	}
	w.t.Errorf("ledger: the archive of %s could not be read by pages", a.Name)
}

// reads lets an account read its conversations while its share of the messages comes: up to a message
// that it has.
func (p *poster) reads(ctx context.Context) {
	for pause(ctx, time.Duration(500+p.readRandom.IntN(1500))*time.Millisecond) && p.w.pacer.of(1000) < 1000 {
		peer := p.account.peers[p.readRandom.IntN(len(p.w.senders))]
		if m, ok := p.account.seen.pick(p.readRandom.IntN, peer); ok {
			p.read(ctx, m)
		}
	}
}

// readTries is how often a conversation is read, until there is an answer: longer than any fault.
const readTries = 60

// read stays with a request until there is an answer.
func (p *poster) read(ctx context.Context, m picked) {
	e := Entry{Op: OpReadUpTo, Account: p.account.Name, From: p.w.names[m.peer], ID: m.id}
	for range readTries {
		e.Phase, e.N, e.Text = Invoke, 0, ""
		p.w.history.add(e)
		got, err := p.account.call(ctx, http.MethodPut, "/v1/conversations/"+url.PathEscape(m.peer)+"/read", "", map[string]string{"ref": m.ref})
		var read struct{ Unread int }
		switch {
		case err != nil:
			e.Phase, e.Text = Info, err.Error()
		case got.status == http.StatusOK && got.decode(&read) == nil:
			e.Phase, e.N = OK, read.Unread
		default:
			e.Phase, e.Text = Info, got.problem()
		}
		p.w.history.add(e)
		if e.Phase == OK || !pause(ctx, max(got.after, 500*time.Millisecond)) {
			return
		}
	}
}

// listConversations lets an account ask for its list for the first time: from then on it is kept.
func (w *world) listConversations() {
	w.t.Helper()
	for _, a := range w.accounts {
		if _, err := a.insist(w.ctx, http.MethodGet, "/v1/conversations", nil); err != nil {
			w.t.Fatalf("ledger: %v", err)
		}
	}
}

// unread asks each node, past the balancer, what is unread for each account.
func (w *world) unread(ctx context.Context) {
	for _, n := range w.nodes {
		for _, a := range w.accounts {
			if !w.unreadAt(ctx, n, a) {
				w.t.Errorf("ledger: %s did not list the conversations of %s", n.name, a.Name)
			}
		}
	}
}

func (w *world) unreadAt(ctx context.Context, n *node, a *account) bool {
	var page struct {
		Items []struct {
			JID, Type   string
			Unread      int
			UnreadExact bool `json:"unread_exact"`
			Read        *struct{ Ref string }
		}
	}
	for range 20 {
		got, err := a.callAt(ctx, "http://"+n.listen, http.MethodGet, "/v1/conversations?limit=200", "", nil)
		if err == nil && got.status == http.StatusOK && got.decode(&page) == nil {
			break
		}
		if !pause(ctx, time.Second) {
			return false
		}
	}
	for _, it := range page.Items {
		if it.Type == "room" {
			continue // nobody reads these
		}
		e := Entry{Op: OpUnread, Who: n.name, Account: a.Name, From: w.names[it.JID], N: it.Unread, Text: "inexact"}
		if it.UnreadExact {
			e.Text = "exact"
		}
		if it.Read != nil {
			e.ID = a.seen.idOf(viewKey{it.JID, it.Read.Ref})
		}
		w.history.add(e)
	}
	return len(page.Items) > 0
}

// idOf is the id of a message, or else its handle.
func (v *view) idOf(k viewKey) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if m := v.list[k]; m != nil && m.id != "" {
		return m.id
	}
	return strconv.Quote(k.ref)
}
