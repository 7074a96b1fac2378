package cluster_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/cluster"
	"github.com/perch-im/perch/internal/testkit"
)

// A socket on a node that does not own the session sees what one on the owner sees, event
// by event, and its cursor is good on both.
func TestSocketOnAnyNode(t *testing.T) {
	t.Parallel()
	k := newWorld(t, 0, cluster.Options{})
	owner := k.Owner(t, k.Alice)
	far := k.Others(owner)[0]
	logins := k.XMPP.CountLogins(t, k.Alice.JID)
	here, there := k.at(t, owner).Stream(t, ""), k.at(t, far).Stream(t, "")
	here.ExpectType(t, "live")
	there.ExpectType(t, "live")
	for range 20 {
		k.say(t)
	}
	body := k.say(t)
	here.Expect(t, body, received(body))
	there.Expect(t, body, received(body))
	if a, b := ids(here.Frames()), ids(there.Frames()); a != b {
		t.Errorf("the owner's socket: %s\nthe other one: %s, want them equal", a, b)
	}
	cursor := there.Last()
	there.Send(t, "c1", "message.send", map[string]string{"to": k.Bob.JID, "body": "from afar"})
	if reply := there.Expect(t, "reply", func(f testkit.Frame) bool { return f.Ref == "c1" }); reply.Type != "reply" {
		t.Errorf("got %v: got %q, want %q", reply.Raw, reply.Type, "reply")
	}
	k.bob.ExpectMessage(t, k.Alice.JID, "from afar")
	there.Close()
	back := k.at(t, owner).Stream(t, cursor)
	if hello := back.ExpectType(t, "hello"); !hello.Data.Bool("resumed") {
		t.Errorf("not resumed: %s, want resumed true", hello.Raw)
	}
	back.Expect(t, "what was sent", func(f testkit.Frame) bool { return f.Type == "message.sent" })
	if a, b := k.at(t, far).Get(t, "/v1/buddies"), k.at(t, owner).Get(t, "/v1/buddies"); fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("got %v\n%v, want %v", a, b, fmt.Sprint(b))
	}
	if n := k.XMPP.CountLogins(t, k.Alice.JID); n != logins {
		t.Errorf("%d logins more, want %v", n-logins, logins)
	}
}

func ids(frames []testkit.Frame) string {
	var b strings.Builder
	for _, f := range frames {
		if f.ID != "" {
			b.WriteString(f.ID + " ")
		}
	}
	return b.String()
}

// kill -9 of the owner: the client resumes on another node by its cursor, the XMPP stream
// is resumed, nothing is missing, and buddies see nothing of it.
func TestOwnerIsKilled(t *testing.T) {
	for i, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			k := newWorld(t, i, cluster.Options{Lease: 5 * time.Second})
			owner := k.Owner(t, k.Alice)
			far := k.Others(owner)[0]
			stream := k.at(t, far).Stream(t, "")
			stream.ExpectType(t, "live")
			first := k.say(t)
			stream.Expect(t, first, received(first))
			cursor := stream.Last()
			owner.Kill9()
			closed := stream.Closed(t)
			if closed != 4201 {
				t.Errorf("the socket that led to the killed node was closed with %d, want 4201", closed)
			}
			var missed []string
			for range 10 {
				missed = append(missed, k.say(t))
			}
			k.owned(t, far)
			k.online(t, k.alice)
			back := k.alice.Stream(t, cursor)
			if hello := back.ExpectType(t, "hello"); !hello.Data.Bool("resumed") {
				t.Errorf("not resumed: %s, want resumed true", hello.Raw)
			}
			for _, body := range missed {
				back.Expect(t, body, received(body))
			}
			last := k.say(t)
			back.Expect(t, last, received(last))
			k.wantResumed(t, 1)
			k.noFlap(t)
			owner.Start(t)
			k.owned(t, far) // it is not taken back
			k.oneOwnerPerFence(t)
		})
	}
}

// Without kept credentials the client's next request brings the token, to whatever node.
func TestOwnerIsKilledWithoutStoredCredentials(t *testing.T) {
	t.Parallel()
	k := newWorld(t, 0, cluster.Options{Lease: 3 * time.Second, ForgetCredentials: true})
	owner := k.Owner(t, k.Alice)
	owner.Kill9()
	again := testkit.NewGateway(t, k.URL, "")
	testkit.Eventually(t, comeBack, func() error {
		a, err := again.Do(t.Context(), http.MethodPost, "/v1/session", map[string]string{"jid": k.Alice.JID, "password": k.Alice.Password})
		if err == nil && a.Status != http.StatusCreated {
			err = fmt.Errorf("%d %s", a.Status, a.Body)
		}
		return err
	})
	k.online(t, k.alice) // the token of before leads to the session again
	k.wantResumed(t, 1)
}

// SIGTERM to each node in turn while bob talks: nothing is missing, nothing comes twice,
// the order holds, and buddies see nothing of it.
func TestRollingRestart(t *testing.T) {
	for i, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			k := newWorld(t, i, cluster.Options{Flags: []string{"--drain-time=5s"}})
			c := &reader{t: t, k: k}
			c.attach()
			for range 2 {
				owner := k.Owner(t, k.Alice)
				owner.Term()
				left := time.Now()
				c.readWhile(func() bool { return !ended(owner) })
				owner.Drain(t)
				next := k.owned(t, k.Others(owner)...)
				k.online(t, k.at(t, next))
				c.read(k.say(t))
				t.Logf("%s: the longest silence on the stream was %v; the node took %v", s.name, c.gap.Round(time.Millisecond), time.Since(left).Round(time.Millisecond))
				owner.Start(t)
			}
			if c.gap > 10*time.Second { // two on a quiet machine, see docs/performance.md
				t.Errorf("a gap of %v, want at most %v", c.gap, 10*time.Second)
			}
			k.wantResumed(t, 2)
			c.whole()
			k.noFlap(t)
			k.oneOwnerPerFence(t)
		})
	}
}

func ended(n *cluster.Node) bool {
	select {
	case <-n.Ended():
		return true
	default:
		return false
	}
}

// A paused owner is replaced. When it continues, its writes are refused, and it releases the
// session.
func TestSplitBrain(t *testing.T) {
	t.Parallel()
	k := newWorld(t, 0, cluster.Options{})
	owner := k.Owner(t, k.Alice)
	far := k.Others(owner)[0]
	owner.Pause()
	paused := time.Now()
	k.owned(t, far)
	k.online(t, k.at(t, far))
	k.say(t)
	stream := k.at(t, far).Stream(t, "")
	stream.ExpectType(t, "live")
	for time.Since(paused) < 30*time.Second { // messages continue while the old owner is paused
		body := k.say(t)
		stream.Expect(t, body, received(body))
	}
	owner.Continue()
	testkit.Eventually(t, comeBack, func() error {
		if m := owner.Metrics(t); !strings.Contains(m, `perch_session_ownership_total{change="fenced"} 1`) {
			return fmt.Errorf("the old owner has not released the session")
		}
		return nil
	})
	// Its clients are led to the new owner, whichever node they ask.
	k.online(t, k.at(t, owner))
	body := k.say(t)
	stream.Expect(t, body, received(body))
	if now := k.Owner(t, k.Alice); now != far {
		t.Errorf("%s has the session, want %v", now.Name, far)
	}
	k.noFlap(t)
	k.oneOwnerPerFence(t)
}
