package today

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch/internal/xmppserver"
)

func parsed(t testing.TB, text string) *xmppserver.Element {
	t.Helper()
	e, err := xmppserver.Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse(%s): got error %v, want none", text, err)
	}
	return e
}

// TestCountsGoRound at 2^32 (XEP-0198, 4).
func TestCountsGoRound(t *testing.T) {
	m := &management{out: math.MaxUint32 - 1}
	for range 4 {
		m.add([]byte("<iq/>"), 1000)
	}
	for _, tt := range []struct {
		h    uint32
		ok   bool
		left int
	}{
		{math.MaxUint32 - 1, true, 4}, {3, false, 4}, {math.MaxUint32, true, 3}, {1, true, 1}, {0, false, 1}, {2, true, 0}, {2, true, 0}, {3, false, 0},
	} {
		if ok := m.acknowledge(tt.h); ok != tt.ok || len(m.waiting) != tt.left {
			t.Errorf("acknowledge(%d): got %v and %d left, want %v and %d", tt.h, ok, len(m.waiting), tt.ok, tt.left)
		}
	}
	if m.bytes != 0 {
		t.Errorf("got %d bytes, want none", m.bytes)
	}
}

// TestWaits is what an inactive client can do without for now.
func TestWaits(t *testing.T) {
	const states = "http://jabber.org/protocol/chatstates"
	for _, tt := range []struct{ stanza, want string }{
		{"<presence from='a@d/r'/>", "presence a@d/r"},
		{"<presence from='a@d/r' type='unavailable'/>", "presence a@d/r"},
		{"<presence from='a@d' type='subscribe'/>", ""},
		{"<presence from='r@d/n' type='error'/>", ""},
		{"<presence from='r@d/n'><x xmlns='" + nsMUCUser + "'><status code='110'/></x></presence>", ""},
		{"<message from='a@d/r'><composing xmlns='" + states + "'/><no-store xmlns='urn:xmpp:hints'/></message>", "state a@d/r"},
		{"<message from='a@d/r'><active xmlns='" + states + "'/><body>b</body></message>", ""},
		{"<message from='a@d/r'><body>" + states + "</body></message>", ""},
		{"<message from='a@d'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='a@d/r' to='b@d'><paused xmlns='" + states + "'/></message></forwarded></sent></message>", "sent a@d/r b@d"},
		{"<message from='a@d'><received xmlns='urn:xmpp:carbons:2'/></message>", ""},
		{"<iq from='a@d/r' type='get'/>", ""},
	} {
		if got := waits(parsed(t, tt.stanza)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.stanza, got, tt.want)
		}
	}
}

// FuzzBearer: whatever a client sends, a token without its form is none.
func FuzzBearer(f *testing.F) {
	for _, s := range []string{"n,,\x01auth=Bearer x\x01\x01", "n,a=a=2Cb,\x01auth=Bearer x\x01\x01", "y,,\x01\x01", "p=x,,\x01\x01", "", "\x01\x01", "n,,\x01=\x01\x01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		authzid, token, ok := parseBearer(s)
		if !ok && (authzid != "" || token != "") {
			t.Errorf("%q: got %q and a token, want nothing of what is not of the form", s, authzid)
		}
	})
}

// TestTimeToResume begins anew each time that the connection is lost.
func TestTimeToResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{Accounts: []Account{{Local: "ann"}}})
		if err != nil {
			t.Fatalf("New: got error %v, want none", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go s.later.Run(ctx, &s.mu)
		a := s.accounts["ann"]
		x := &session{s: s, acct: a, sm: &management{id: "id"}}
		x.Resource = &xmppserver.Resource{Account: a.Account, Send: x.send}
		for _, tt := range []struct {
			what string
			do   func()
			wait time.Duration
			over bool
		}{
			{"lost", x.park, s.o.ResumeTimeout - time.Second, false},
			{"resumed and lost again", x.park, s.o.ResumeTimeout - time.Second, false},
			{"not resumed", func() {}, 2 * time.Second, true},
		} {
			s.mu.Lock()
			tt.do()
			s.mu.Unlock()
			time.Sleep(tt.wait)
			synctest.Wait()
			s.mu.Lock()
			if x.over != tt.over {
				t.Errorf("%s: over: got %v, want %v", tt.what, x.over, tt.over)
			}
			s.mu.Unlock()
		}
		if len(a.ended) != 1 || a.ended[0].id != "id" {
			t.Errorf("got %v, want the count of the session", a.ended)
		}
	})
}

// TestFullSessionEnds, also when clients have filled the schedule of the service.
func TestFullSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{Accounts: []Account{{Local: "ann"}}, QueueBytes: 1000})
		if err != nil {
			t.Fatalf("New: got error %v, want none", err)
		}
		for n := 0; s.later.After(time.Hour, func() {}) && n < 1_000_000; n++ {
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go s.later.Run(ctx, &s.mu)
		a := s.accounts["ann"]
		x := &session{s: s, acct: a, sm: &management{id: "id"}}
		x.Resource = &xmppserver.Resource{Account: a.Account, Send: x.send}
		s.mu.Lock()
		x.send(make([]byte, 2000))
		s.mu.Unlock()
		synctest.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		if !x.over {
			t.Error("got a session with more than may wait, want its end")
		}
	})
}
