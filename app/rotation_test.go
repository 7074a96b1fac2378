package app_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

// TestRotationOfSecretsUnderLoad rotates both secrets of two nodes that share a Redis, by the procedure of
// docs/operations.md, while two users talk through both: no request fails, no client signs in again, no
// stream ends, and afterwards cursors are good at the other node.
func TestRotationOfSecretsUnderLoad(t *testing.T) {
	const before, after = appSecret, canary.Mark + "the secret that comes after this one"
	key := func(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }
	for _, b := range []byte{1, 2} {
		canary.Note(hex.EncodeToString(key(b)))
	}
	canary.Note(after)
	redis := testkit.SharedRedis(t)
	url := redis.URLFor(t, before)
	node := func(name string) func(*app.Options) {
		return func(o *app.Options) {
			o.TLSCert, o.TLSKey, o.RedisURL, o.Node, o.SealKeys = "", "", url, name, [][]byte{key(1)}
			o.Lease = 5 * time.Second
			o.TokenRate, o.IPRate = app.Rate{PerSecond: 5000, Burst: 5000}, app.Rate{PerSecond: 5000, Burst: 5000}
		}
	}
	a, b := newReloadWorld(t, node("a")), newReloadWorld(t, node("b"))
	users := []*reloadUser{a.reloadUser(a.server.NewUser(t, "alice")), b.reloadUser(a.server.NewUser(t, "bob"))}
	listening, endStreams := context.WithCancel(t.Context())
	working, endWork := context.WithCancel(t.Context())
	defer endStreams()
	defer endWork()
	var streams, work sync.WaitGroup
	live := make(chan struct{}, 2)
	for i, u := range users {
		streams.Go(func() { a.listen(listening, u, live) }) // that of bob comes from the other node
		<-live
		work.Go(func() { []*reloadWorld{b, a}[i].work(working, u, users[1-i]) })
	}

	for _, step := range []struct {
		secret, previous string
		keys             [][]byte
	}{
		{before, after, [][]byte{key(1), key(2)}},
		{after, before, [][]byte{key(2), key(1)}},
		{after, "", [][]byte{key(2)}},
	} {
		if step.previous == "" {
			for _, w := range []*reloadWorld{a, b} {
				w.awaitRotated()
			}
		}
		for _, w := range []*reloadWorld{a, b} {
			w.mustReload(func(o *app.Options) { o.Secret, o.SecretPrevious, o.SealKeys = step.secret, step.previous, step.keys })
			w.progress(users)
		}
	}

	endWork()
	work.Wait()
	for i, u := range users {
		if missing := u.await(users[1-i].sent); missing != "" {
			t.Errorf("user %d: got no message %q, want every one that was accepted", i, missing)
		}
	}
	endStreams()
	streams.Wait()
	for i, u := range users {
		if u.streamErr != nil {
			t.Errorf("the stream of user %d: got error %v, want none", i, u.streamErr)
		}
		status, body, err := b.call(t.Context(), http.MethodGet, "/v1/events?wait=0&since="+u.cursor, u.token, nil)
		if err != nil || status != http.StatusOK || !bytes.Contains(body, []byte(`"reset":null`)) {
			t.Errorf("user %d at the other node with a cursor: got status %d, error %v, %.300s, want it resumed", i, status, err, body)
		}
	}
	if _, err := a.reload(func(o *app.Options) { o.Secret, o.SecretPrevious = before, "" }); err == nil {
		t.Error("a secret that is changed without the one before: got no error, want one")
	}
}

var leftOver = regexp.MustCompile(`(?m)^perch_rotation_(tokens|credentials)_left (-?\d+)$`)

// awaitRotated waits until nothing is left by the metrics of the node.
func (w *reloadWorld) awaitRotated() {
	w.t.Helper()
	testkit.Eventually(w.t, 3*time.Minute, func() error {
		for _, m := range leftOver.FindAllStringSubmatch(fetch(w.t, "http://"+w.a.AdminAddr()+"/metrics"), -1) {
			if m[2] != "0" {
				return fmt.Errorf("%s %s are left", m[2], m[1])
			}
		}
		return nil
	})
}

// progress waits until both users have gone on for a while after a change.
func (w *reloadWorld) progress(users []*reloadUser) {
	w.t.Helper()
	for _, u := range users {
		from := u.answered.Load()
		testkit.Eventually(w.t, time.Minute, func() error {
			if n := u.answered.Load() - from; n < 60 && !w.t.Failed() {
				return fmt.Errorf("%d answers since", n)
			}
			return nil
		})
	}
}
