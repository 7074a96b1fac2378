package api_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch"
)

func TestPollAnswersAtOnceWithoutWait(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	tip := g.waitLogged("tok-alice", conn)
	p := g.poll("tok-alice", since(tip))
	if len(p.Events) != 0 || p.Next != tip || p.Reset != nil {
		t.Errorf("poll: got %+v, want no event and the same cursor", p)
	}
}

func TestPollWaitsForTheFirstEvent(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	tip := g.waitLogged("tok-alice", conn)
	var wg sync.WaitGroup
	wg.Go(func() {
		p := g.poll("tok-alice", since(tip)+"&wait=20&types=message.received")
		if len(p.Events) != 1 || p.Events[0].Type != "message.received" || p.Next != p.Events[0].ID {
			t.Errorf("poll: got %+v, want the message, and its id as the cursor", p)
		}
	})
	say(conn, "m1")
	wg.Wait()
}

func TestPollTimesOutEmpty(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	tip := g.waitLogged("tok-alice", conn)
	began := time.Now()
	p := g.poll("tok-alice", since(tip)+"&wait=1")
	if len(p.Events) != 0 || p.Next != tip || p.Reset != nil || time.Since(began) < time.Second {
		t.Errorf("poll: got %+v after %v, want no event and the same cursor after a second", p, time.Since(began))
	}
}

// TestPollLimit walks through a log in small steps.
func TestPollLimit(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	cursor := g.waitLogged("tok-alice", conn)
	for i := range 10 {
		say(conn, fmt.Sprint("m", i))
	}
	tip := g.waitLogged("tok-alice", conn)
	var sizes []int
	for cursor != tip {
		p := g.poll("tok-alice", since(cursor)+"&limit=4")
		if p.Next != p.Events[len(p.Events)-1].ID {
			t.Fatalf("next %s after %s, want the same", p.Next, p.Events[len(p.Events)-1].ID)
		}
		sizes, cursor = append(sizes, len(p.Events)), p.Next
	}
	if fmt.Sprint(sizes) != "[4 4 3]" {
		t.Errorf("got steps of %v, want [4 4 3]", sizes)
	}
}

// TestPollFilterPassesOthers: next goes beyond events that the filter leaves out.
func TestPollFilterPassesOthers(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	cursor := g.waitLogged("tok-alice", conn)
	tip := g.waitLogged("tok-alice", conn)
	p := g.poll("tok-alice", since(cursor)+"&types=roster.*")
	if len(p.Events) != 0 || p.Next != tip {
		t.Errorf("%+v, want next %s", p, tip)
	}
}

// TestPollResetWithFilter answers at once, even if the filter lets no snapshot through.
func TestPollResetWithFilter(t *testing.T) {
	g := newGateway(t)
	g.open("tok-alice")
	p := g.poll("tok-alice", "wait=60&types=message.*")
	if p.Reset == nil || p.Reset.Reason != "first" || p.Next == "" {
		t.Errorf("poll: got %+v, want a reset for the first time, and a cursor", p)
	}
}

// TestPollSnapshots has the whole state of a first connect.
func TestPollSnapshots(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	conn.Deliver(&perch.PresenceIn{From: "bob@example.net/phone", Available: true, Show: perch.ShowAway, Status: "lunch"})
	conn.Deliver(&perch.SubscriptionIn{From: "eve@example.net", Type: "subscribe", Nick: "Eve"})
	g.waitLogged("tok-alice", conn)
	p := g.poll("tok-alice", "limit=1")
	text := ""
	for _, e := range p.Events {
		text += e.Type + string(e.Data)
	}
	for _, want := range []string{"roster.snapshot", `"name":"Bob"`, "invitations.snapshot", `"nick":"Eve"`, "presence.snapshot", `"status":"lunch"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in %s, want it there", want, text)
		}
	}
	if len(p.Events) != 3 {
		t.Errorf("got %d envelopes, want the 3 snapshots", len(p.Events))
	}
}
