package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

var tokenRecordCases = []Case{
	{"what a token may do is kept with it", tokenRecords},
	{"tokens that tokens have made are no sign-ins", madeTokens},
	{"uses of tokens", tokenUses},
	{"a restricted ticket stays so", restrictedTicket},
}

// made is a token that another one has made.
func made(id sessions.ID, name string) sessions.Binding {
	return sessions.Binding{ID: id, Upstream: "up", JID: "me@x", Minted: true, Sealed: []byte{1, 0, 255}, Mark: "now", Token: &sessions.TokenRecord{
		ID: "r-" + name, Name: name, Created: 1_800_000_000_000, Made: true, By: "r-0",
		Grant: perch.Grant{Scopes: []perch.Scope{perch.ScopeRead}, Conversations: []perch.JID{"bob@x", "room@y/nick"}, Expires: 1_900_000_000_000},
	}}
}

func tokenRecords(t testing.TB, h Harness) {
	s := h.Store
	one := made("s1", "one")
	signIn := sessions.Binding{ID: "s1", Upstream: "up", Minted: true, Sealed: []byte{7}, Token: &sessions.TokenRecord{ID: "r-in", Created: 5}}
	bind(t, s, "t1", one)
	bind(t, s, "t2", signIn)
	lookup(t, s, "t1", &one)
	lookup(t, s, "t2", &signIn)
	bindings(t, s, map[string]sessions.Binding{"t1": one, "t2": signIn})
	fresh, other := one, one
	fresh.Sealed, other.Sealed = []byte{9}, []byte{8}
	for _, step := range []struct {
		was, b sessions.Binding
		want   bool
	}{{fresh, other, false}, {one, fresh, true}, {one, other, false}} {
		if got, err := s.Rewrite(t.Context(), "t1", step.was, step.b); got != step.want || err != nil {
			t.Errorf("Rewrite(%v, %v): got %v, error %v, want %v and none", step.was.Sealed, step.b.Sealed, got, err, step.want)
		}
	}
	lookup(t, s, "t1", &fresh)
	if err := s.Rebind(t.Context(), "t1", "t3", fresh); err != nil {
		t.Fatalf("Rebind: got error %v, want none", err)
	}
	lookup(t, s, "t1", nil)
	lookup(t, s, "t3", &fresh)
	if err := s.Forget(t.Context(), "s1"); err != nil {
		t.Fatalf("Forget: got error %v, want none", err)
	}
	bindings(t, s, map[string]sessions.Binding{})
}

// madeTokens: they neither count among those of sign-ins nor give way to them.
func madeTokens(t testing.TB, h Harness) {
	s := h.Store
	one := made("a1", "one")
	own := sessions.Binding{ID: "a1", Upstream: "up"}
	bind(t, s, "made", one)
	mintN(t, s, own, 0, sessions.MaxMinted)
	mine := own
	mine.Minted = true
	bind(t, s, "one more", mine, "m0")
	bind(t, s, "made too", made("a1", "two"))
	lookup(t, s, "made", &one)
	unbind(t, s, "made")
	bind(t, s, "another one", mine, "m1")
}

func tokenUses(t testing.TB, h Harness) {
	s := h.Store
	uses := func(id sessions.ID, want map[string]sessions.TokenUse) {
		t.Helper()
		got, err := s.Uses(t.Context(), id)
		if err != nil {
			t.Errorf("Uses(%s): got error %v, want none", id, err)
		}
		if len(got) != 0 || len(want) != 0 {
			same(t, string(id), got, want)
		}
	}
	note := func(uses ...sessions.NotedUse) {
		t.Helper()
		if err := s.NoteUses(t.Context(), uses); err != nil {
			t.Errorf("NoteUses: got error %v, want none", err)
		}
	}
	first, second := sessions.TokenUse{At: 5, Address: "192.0.2.1"}, sessions.TokenUse{At: 6}
	uses("s1", nil)
	note()
	for i := range 4 {
		bind(t, s, fmt.Sprint("t", i), made("s1", fmt.Sprint(i)))
	}
	bind(t, s, "other", made("s2", "other"))
	note(sessions.NotedUse{Session: "s1", Token: "t0", TokenUse: first}, sessions.NotedUse{Session: "s1", Token: "t1", TokenUse: first},
		sessions.NotedUse{Session: "s1", Token: "t2", TokenUse: first}, sessions.NotedUse{Session: "s2", Token: "other", TokenUse: second})
	note(sessions.NotedUse{Session: "s1", Token: "t1", TokenUse: second})
	uses("s1", map[string]sessions.TokenUse{"t0": first, "t1": second, "t2": first})
	unbind(t, s, "t0")
	if err := s.Rebind(t.Context(), "t2", "n2", made("s1", "2")); err != nil {
		t.Fatalf("Rebind: got error %v, want none", err)
	}
	uses("s1", map[string]sessions.TokenUse{"t1": second})
	late := []sessions.NotedUse{
		{Session: "s1", Token: "t0", TokenUse: second}, {Session: "s1", Token: "t2", TokenUse: second},
		{Session: "s1", Token: "other", TokenUse: second}, {Session: "s1", Token: "never", TokenUse: second},
	}
	note(late...)
	uses("s1", map[string]sessions.TokenUse{"t1": second})
	h.Advance(time.Hour)
	if err := s.Forget(t.Context(), "s1"); err != nil {
		t.Fatalf("Forget: got error %v, want none", err)
	}
	note(append(late, sessions.NotedUse{Session: "s1", Token: "t1", TokenUse: second})...)
	uses("s1", nil)
	uses("s2", map[string]sessions.TokenUse{"other": second})
}

func restrictedTicket(t testing.TB, h Harness) {
	k := ticket("a1")
	k.Token, k.Restricted = "r-1", true
	put(t, h.Store, "h1", k, time.Minute)
	free := ticket("a1")
	free.Token = "r-2"
	put(t, h.Store, "h2", free, time.Minute)
	for hash, want := range map[string]sessions.Ticket{"h1": k, "h2": free} {
		got, err := h.Store.TakeTicket(t.Context(), hash)
		if err != nil {
			t.Errorf("TakeTicket(%s): got error %v, want none", hash, err)
		}
		same(t, hash, got, want)
	}
}
