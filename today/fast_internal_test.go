package today

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestTokensAreBounded: an account has some, and the oldest goes.
func TestTokensAreBounded(t *testing.T) {
	var l fastTokens
	first := l.issue("HT-SHA-256-NONE", "agent")
	for i := range maxTokens {
		l.issue("HT-SHA-256-NONE", fmt.Sprint(i))
	}
	if len(l) != maxTokens {
		t.Errorf("got %d tokens, want %d", len(l), maxTokens)
	}
	if got := l.find("HT-SHA-256-NONE", "agent", func(s string) bool { return s == first.secret }); got != nil {
		t.Error("got the first token, want it to be gone")
	}
}

// TestTokenExpires, and says so once.
func TestTokenExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{Accounts: []Account{{Local: "ann"}}})
		if err != nil {
			t.Fatalf("New: got error %v, want none", err)
		}
		a := s.accounts["ann"]
		token := a.fast.issue("HT-SHA-256-NONE", "agent")
		x := &tokenExchange{s: s, name: "HT-SHA-256-NONE", agent: "agent"}
		in := append([]byte("ann\x00"), x.proof(token.secret, "Initiator")...)
		for _, tt := range []struct {
			after time.Duration
			want  string
		}{{tokenLife - time.Second, ""}, {time.Second, "credentials-expired"}, {0, "not-authorized"}} {
			time.Sleep(tt.after)
			if v := x.step(in); v.fail != tt.want || (v.acct == a) != (tt.want == "") {
				t.Errorf("after %v: got %q, want %q", tt.after, v.fail, tt.want)
			}
		}
	})
}

// TestTokenIsRotated: one that is a day old is followed by another one, unless it was used for the last time.
func TestTokenIsRotated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &account{}
		st := &stream{acct: a}
		for _, tt := range []struct {
			name    string
			age     time.Duration
			request string
			want    bool
		}{
			{"young", time.Hour, "<fast xmlns='urn:xmpp:fast:0'/>", false},
			{"a day old", tokenRotate + time.Second, "<fast xmlns='urn:xmpp:fast:0'/>", true},
			{"ended", tokenRotate + time.Second, "<fast xmlns='urn:xmpp:fast:0' invalidate='1'/>", false},
		} {
			token := a.fast.issue("HT-SHA-256-NONE", "agent")
			time.Sleep(tt.age)
			e := parsed(t, "<authenticate xmlns='urn:xmpp:sasl:2'><user-agent id='agent'/>"+tt.request+"</authenticate>")
			used := &tokenExchange{name: "HT-SHA-256-NONE", used: token}
			a.fast.use(token)
			if got := st.appendToken(nil, e, used); (len(got) > 0) != tt.want {
				t.Errorf("%s: got %d bytes of another token, want one: %v", tt.name, len(got), tt.want)
			}
		}
	})
}
