package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

var tokenCases = []Case{
	{"tokens lead to sessions", tokens},
	{"a token leads to one session", tokenOnce},
	{"a session knows its tokens", tokensOf},
	{"forget leaves nothing", forget},
	{"minted tokens are bounded", mintedBounded},
	{"a token gets another name", rebound},
	{"a token is written again as it was read", rewritten},
	{"tokens end, and make room", tokensEnd},
}

// rebound: a token that is moved to another name leads there alone, keeps its age, and is forgotten with its session.
func rebound(t testing.TB, h Harness) {
	s := h.Store
	b := sessions.Binding{ID: "s1", Upstream: "u", JID: "a@b", Minted: true, Mark: "before"}
	rebind := func(old, token string, b sessions.Binding, want error) {
		t.Helper()
		if err := s.Rebind(t.Context(), old, token, b); !errors.Is(err, want) {
			t.Errorf("Rebind(%s, %s): got error %v, want %v", old, token, err, want)
		}
	}
	for i := range sessions.MaxMinted {
		bind(t, s, fmt.Sprint("m", i), b)
	}
	after := b
	after.Mark = "after"
	for range 2 { // it may be repeated
		rebind("m0", "n0", after, nil)
		lookup(t, s, "m0", nil)
		lookup(t, s, "n0", &after)
	}
	rebind("m500", "n500", after, nil)
	rebind("not there", "n-new", after, nil)
	lookup(t, s, "n-new", &after)
	unbind(t, s, "n-new")
	bind(t, s, "one more", b, "n0") // the oldest, by its new name
	bind(t, s, "and one more", b, "m1")
	lookup(t, s, "n500", &after)

	own := sessions.Binding{ID: "s2", Upstream: "u"}
	bind(t, s, "own", own)
	rebind("own", "n500", own, sessions.ErrTaken)
	lookup(t, s, "own", &own)
	lookup(t, s, "n500", &after)
	for range 2 { // refused, it keeps its place among the minted ones
		rebind("m2", "own", after, sessions.ErrTaken)
		lookup(t, s, "m2", &b)
	}
	bind(t, s, "the third more", b, "m2")
	own.Replaced = true
	rebind("own", "own again", own, nil)
	lookup(t, s, "own again", &own)
	for _, id := range []sessions.ID{"s1", "s2"} {
		if err := s.Forget(t.Context(), id); err != nil {
			t.Fatalf("Forget: got error %v, want none", err)
		}
	}
	for _, token := range []string{"n500", "m3", "own again", "one more"} {
		lookup(t, s, token, nil)
	}
	bindings(t, s, map[string]sessions.Binding{})
}

// rewritten: what has changed or ended since it was read is left as it is.
func rewritten(t testing.TB, h Harness) {
	s := h.Store
	first := sessions.Binding{ID: "s1", Upstream: "u", JID: "a@b", Minted: true, Sealed: []byte{1, 2}, Mark: "before"}
	rewrite := func(was, b sessions.Binding, want bool) {
		t.Helper()
		if got, err := s.Rewrite(t.Context(), "t", was, b); got != want || err != nil {
			t.Errorf("Rewrite(%+v, %+v): got %v, error %v, want %v and none", was, b, got, err, want)
		}
	}
	second := first
	second.Sealed, second.Mark = []byte{3}, ""
	rewrite(first, second, false)
	lookup(t, s, "t", nil)
	bind(t, s, "t", first)
	rewrite(first, second, true)
	lookup(t, s, "t", &second)
	third := second
	third.Mark = "after"
	rewrite(first, third, false) // another credential, and another mark
	rewrite(second, third, true)
	rewrite(second, first, false) // another mark
	other := third
	other.ID = "s2"
	rewrite(other, first, false)
	lookup(t, s, "t", &third)
	replaced := sessions.Binding{ID: "s1", Upstream: "u", Minted: true, Mark: "after", Replaced: true}
	unsealed := replaced
	unsealed.Replaced = false
	bind(t, s, "t", replaced)
	rewrite(unsealed, third, false)
	lookup(t, s, "t", &replaced)
	unbind(t, s, "t")
	rewrite(replaced, third, false)
	lookup(t, s, "t", nil)
	bindings(t, s, nil)
}

func lookup(t testing.TB, s sessions.Store, token string, want *sessions.Binding) {
	t.Helper()
	got, err := s.Lookup(t.Context(), token)
	switch {
	case want == nil && perch.KindOf(err) != perch.KindNotFound:
		t.Errorf("Lookup(%s) = %v, %v, want an error of the kind %v", token, got, err, perch.KindNotFound)
	case want != nil && err != nil:
		t.Errorf("Lookup(%s): got error %v, want none", token, err)
	case want != nil:
		same(t, token, got, *want)
	}
}

// bind binds a token, and no other has to go for it but those of evicted.
func bind(t testing.TB, s sessions.Store, token string, b sessions.Binding, evicted ...string) {
	t.Helper()
	got, err := s.Bind(t.Context(), token, b)
	if err != nil {
		t.Fatalf("Bind(%s): got error %v, want none", token, err)
	}
	if !slices.Equal(got, evicted) {
		t.Errorf("Bind(%s) evicted %q, want %q", token, got, evicted)
	}
}

func unbind(t testing.TB, s sessions.Store, token string) {
	t.Helper()
	if err := s.Unbind(t.Context(), token); err != nil {
		t.Fatalf("Unbind(%s): got error %v, want none", token, err)
	}
}

func bindings(t testing.TB, s sessions.Store, want map[string]sessions.Binding) {
	t.Helper()
	got, err := s.Bindings(t.Context())
	if err != nil {
		t.Fatalf("Bindings: got error %v, want none", err)
	}
	same(t, "bindings", got, want)
}

func tokens(t testing.TB, h Harness) {
	s := h.Store
	a := sessions.Binding{ID: "a1", Upstream: "up", JID: "me@x", Sealed: []byte{1, 0, 255}}
	b := sessions.Binding{ID: "a2", Upstream: "up"}
	lookup(t, s, "t1", nil)
	bindings(t, s, nil)
	bind(t, s, "t1", a)
	bind(t, s, "t2", b)
	bind(t, s, "t3", a)
	lookup(t, s, "t1", &a)
	lookup(t, s, "t2", &b)
	bindings(t, s, map[string]sessions.Binding{"t1": a, "t2": b, "t3": a})
	unbind(t, s, "t1")
	bind(t, s, "t1", b) // leads elsewhere from now on, and has no credential
	lookup(t, s, "t1", &b)
	for range 2 { // ending it twice is no error
		if err := s.Unbind(t.Context(), "t2"); err != nil {
			t.Errorf("Unbind: got error %v, want none", err)
		}
	}
	lookup(t, s, "t2", nil)
	bindings(t, s, map[string]sessions.Binding{"t1": b, "t3": a})
	replaced := sessions.Binding{ID: "a1", Upstream: "up", Replaced: true}
	bind(t, s, "t3", replaced)
	lookup(t, s, "t3", &replaced)
	bindings(t, s, map[string]sessions.Binding{"t1": b, "t3": replaced})
}

// tokenOnce is compare and set: a token that leads to a session is not taken from it, and of
// sessions that want one token at once, through two stores on the same data, one gets it.
func tokenOnce(t testing.TB, h Harness) {
	s, other := h.Store, h.Store
	if h.Reopen != nil {
		other = h.Reopen()
	}
	a := sessions.Binding{ID: "a1", Upstream: "up", Sealed: []byte{1}}
	bind(t, s, "t1", a)
	for _, store := range []sessions.Store{s, other} {
		if _, err := store.Bind(t.Context(), "t1", sessions.Binding{ID: "a2", Upstream: "up"}); !errors.Is(err, sessions.ErrTaken) {
			t.Errorf("another session's Bind gave %v, want ErrTaken", err)
		}
		lookup(t, store, "t1", &a)
		of, err := store.BindingsOf(t.Context(), "a2")
		if err != nil || len(of) != 0 {
			t.Errorf("BindingsOf the refused session = %v, %v, want no error and 0", of, err)
		}
		a.Sealed = append(a.Sealed, 2) // its own session may write it anew
		bind(t, store, "t1", a)
		lookup(t, s, "t1", &a)
	}
	if err := s.Forget(t.Context(), "a2"); err != nil { // what was refused has left nothing to forget
		t.Errorf("Forget: got error %v, want none", err)
	}
	lookup(t, s, "t1", &a)

	var group sync.WaitGroup
	won := make(chan sessions.ID, 8)
	for i := range 8 {
		group.Go(func() {
			b := sessions.Binding{ID: sessions.ID("b" + string(rune('0'+i))), Upstream: "up"}
			switch _, err := []sessions.Store{s, other}[i%2].Bind(t.Context(), "t2", b); {
			case err == nil:
				won <- b.ID
			case !errors.Is(err, sessions.ErrTaken):
				t.Errorf("Bind at once gave %v, want nil or ErrTaken", err)
			}
		})
	}
	group.Wait()
	close(won)
	if len(won) != 1 {
		t.Fatalf("%d sessions got one token, want 1", len(won))
	}
	lookup(t, s, "t2", &sessions.Binding{ID: <-won, Upstream: "up"})
}

func tokensOf(t testing.TB, h Harness) {
	s := h.Store
	of := func(id sessions.ID, want map[string]sessions.Binding) {
		t.Helper()
		got, err := s.BindingsOf(t.Context(), id)
		if err != nil {
			t.Errorf("BindingsOf(%s): got error %v, want none", id, err)
		}
		same(t, string(id), got, want)
	}
	a, b := sessions.Binding{ID: "a1", Upstream: "up", JID: "me@x", Sealed: []byte{0, 255}}, sessions.Binding{ID: "a2", Upstream: "up"}
	of("a1", nil)
	bind(t, s, "t1", a)
	bind(t, s, "t2", a)
	bind(t, s, "t3", a)
	bind(t, s, "t4", b)
	of("a1", map[string]sessions.Binding{"t1": a, "t2": a, "t3": a})
	of("a2", map[string]sessions.Binding{"t4": b})
	unbind(t, s, "t1")
	bind(t, s, "t1", b) // leads elsewhere from now on
	if err := s.Unbind(t.Context(), "t2"); err != nil {
		t.Errorf("Unbind: got error %v, want none", err)
	}
	of("a1", map[string]sessions.Binding{"t3": a})
	of("a2", map[string]sessions.Binding{"t1": b, "t4": b})
	if err := s.Forget(t.Context(), "a2"); err != nil {
		t.Errorf("Forget: got error %v, want none", err)
	}
	of("a2", nil)
	of("a1", map[string]sessions.Binding{"t3": a})
}

func forget(t testing.TB, h Harness) {
	s := h.Store
	o, other := open(t, s, "a1"), open(t, s, "a2")
	o.ok(everything(o))
	other.ok(everything(other))
	mine, theirs := sessions.Binding{ID: "a1", Upstream: "up"}, sessions.Binding{ID: "a2", Upstream: "up"}
	bind(t, s, "t1", mine)
	bind(t, s, "t2", mine)
	bind(t, s, "t3", theirs)
	bind(t, s, "t4", mine)
	unbind(t, s, "t4")
	bind(t, s, "t4", theirs)
	for range 2 { // forgetting twice is no error
		if err := s.Forget(t.Context(), "a1"); err != nil {
			t.Fatalf("Forget: got error %v, want none", err)
		}
	}
	bindings(t, s, map[string]sessions.Binding{"t3": theirs, "t4": theirs})
	lookup(t, s, "t1", nil)
	if r := o.commit(&sessions.Commit{Contacts: instead(contact("a@x", ""))}); !errors.Is(r.Err, sessions.ErrLost) {
		t.Errorf("a commit to a forgotten session gave %v, want %v", r.Err, sessions.ErrLost)
	}
	if _, err := s.Log(t.Context(), "a1", 0, 1); !errors.Is(err, sessions.ErrLost) {
		t.Errorf("the log of a forgotten session gave %v, want %v", err, sessions.ErrLost)
	}
	if _, err := s.Message(t.Context(), "a1", "m1"); perch.KindOf(err) != perch.KindNotFound {
		t.Errorf("a message of a forgotten session gave %v, want an error of the kind %v", err, perch.KindNotFound)
	}
	if _, err := s.VCard(t.Context(), "a1", "a@x"); perch.KindOf(err) != perch.KindNotFound {
		t.Errorf("a vCard of a forgotten session gave %v, want an error of the kind %v", err, perch.KindNotFound)
	}
	fresh := open(t, s, "a1")
	if fresh.Epoch == o.Epoch {
		t.Errorf("a forgotten log keeps its epoch %s, want anything but %v", fresh.Epoch, o.Epoch)
	}
	same(t, "saved", fresh.Saved, &sessions.Saved{Fence: 1, Epoch: fresh.Epoch})
	fresh.ok(&sessions.Commit{Once: &sessions.Once{Key: "k1"}}) // its idempotency keys went too
	other.holds(everything(&owner{t: t, Saved: other.Saved}))
}

// mintN binds minted tokens from a number on.
func mintN(t testing.TB, s sessions.Store, b sessions.Binding, from, n int) {
	t.Helper()
	b.Minted = true
	for i := range n {
		bind(t, s, fmt.Sprint("m", from+i), b)
	}
}

// mintedBounded: of too many tokens of sign-ins the one goes that came first, and only a
// minted one of this session.
func mintedBounded(t testing.TB, h Harness) {
	s := h.Store
	own, theirs := sessions.Binding{ID: "a1", Upstream: "up", Sealed: []byte{1}}, sessions.Binding{ID: "a2", Upstream: "up", Minted: true}
	mine := own
	mine.Minted = true
	bind(t, s, "account", own)
	bind(t, s, "other", theirs)
	mintN(t, s, own, 0, 1000)
	for _, token := range []string{"m0", "m1"} { // written anew: they stay the oldest, and nothing is too many
		bind(t, s, token, mine)
	}
	for i := range 3 {
		bind(t, s, fmt.Sprint("account", i), own) // not minted: they count for nothing
	}
	bind(t, s, "new1", mine, "m0")
	bind(t, s, "new2", mine, "m1")
	unbind(t, s, "m3")
	bind(t, s, "new3", mine) // into the room that m3 has left
	bind(t, s, "m0", mine, "m2")
	for _, token := range []string{"m1", "m2", "m3"} {
		lookup(t, s, token, nil)
	}
	for _, token := range []string{"m0", "m4", fmt.Sprint("m", 1000-1), "new1", "new2", "new3"} {
		lookup(t, s, token, &mine)
	}
	for _, token := range []string{"account", "account0", "account2"} {
		lookup(t, s, token, &own)
	}
	lookup(t, s, "other", &theirs)
	of, err := s.BindingsOf(t.Context(), "a1")
	if want := 1000 + 4; err != nil || len(of) != want {
		t.Errorf("BindingsOf has %d tokens, %v, want %d", len(of), err, want)
	}
	all, err := s.Bindings(t.Context())
	if want := 1000 + 5; err != nil || len(all) != want {
		t.Errorf("Bindings has %d tokens, %v, want %d", len(all), err, want)
	}
	if err := s.Forget(t.Context(), "a1"); err != nil {
		t.Errorf("Forget: got error %v, want none", err)
	}
	bindings(t, s, map[string]sessions.Binding{"other": theirs})
	mintN(t, s, own, 0, 1) // of the tokens that went nothing counts any more
}

// tokensEnd: tokens live as long as the state of their session, and leave their places then.
func tokensEnd(t testing.TB, h Harness) {
	s := h.Store
	own := sessions.Binding{ID: "a1", Upstream: "up"}
	bind(t, s, "account", own)
	mintN(t, s, own, 0, 5)
	h.Advance(StateTTL - time.Hour)
	lookup(t, s, "account", &own)
	mintN(t, s, own, 5, 5)
	h.Advance(2 * time.Hour)
	for _, token := range []string{"account", "m0", "m4"} {
		lookup(t, s, token, nil)
	}
	mine := own
	mine.Minted = true
	want := map[string]sessions.Binding{}
	for i := range 5 {
		want[fmt.Sprint("m", 5+i)] = mine
	}
	bindings(t, s, want)
	h.Advance(StateTTL)
	bindings(t, s, nil)
	mintN(t, s, own, 10, 1000) // no place is taken by what has ended
	lookup(t, s, "m10", &mine)
}
