package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/jsonappend"
	"github.com/perch-im/perch/sessions"
)

// sameAnswer compares what is written by hand with what encoding/json makes of want.
func sameAnswer(t *testing.T, got jsonappend.Value, want any) {
	t.Helper()
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatalf("json.Marshal(%+v): got error %v, want none", want, err)
	}
	if got := string(got.AppendJSON([]byte("x"))); got != "x"+string(text) {
		t.Errorf("AppendJSON of %T: got\n%s, want by encoding/json\nx%s", want, got, text)
	}
}

// listOf is what a page of the session is described as.
func listOf(items []sessions.BuddyItem, next *string) buddyList {
	l := buddyList{Items: []buddyItem{}, Next: next}
	for _, i := range items {
		item := itemOf(i.Buddy)
		item.Presence = i.Presence
		l.Items = append(l.Items, item)
	}
	return l
}

func TestAppendedAnswers(t *testing.T) {
	next := "a<\u2028"
	p := &perch.Presence{JID: "bob@example.net", Available: true, Show: perch.ShowAway, Resources: []perch.Resource{{Resource: "x\n"}}, UpdatedAt: 1}
	bob := perch.Buddy{JID: "bob@example.net", Name: `"Bob" <b>`, Groups: []string{"Work", "é"}, Subscription: perch.SubscriptionBoth, Mutual: true}
	for _, items := range [][]sessions.BuddyItem{nil, {}, {{Buddy: bob}}, {{Buddy: bob, Presence: p}, {}, {Presence: &perch.Presence{}}}} {
		sameAnswer(t, buddyPage{items, ""}, listOf(items, nil))
		sameAnswer(t, buddyPage{items, next}, listOf(items, &next))
	}
	for _, items := range [][]perch.Presence{nil, {}, {*p}, {*p, {}}} {
		for _, at := range []perch.Time{0, 1_700_000_000_123} {
			sameAnswer(t, presenceAnswer{presenceItems(items), at}, presenceList{items, at})
		}
	}
}

// FuzzAppendedAnswers: whatever the texts are.
func FuzzAppendedAnswers(f *testing.F) {
	f.Add("bob@example.net", "Bob", "Work", "next", int64(1_700_000_000_123), true)
	f.Add("\xff", "\u2028<>&", `"\`, "", int64(0), false)
	f.Fuzz(func(t *testing.T, a, b, c, next string, at int64, yes bool) {
		p := perch.Presence{JID: perch.JID(a), Available: yes, Status: b, Resources: []perch.Resource{{Resource: c, Status: a}}, UpdatedAt: perch.Time(at)}
		items := []sessions.BuddyItem{{Buddy: perch.Buddy{JID: perch.JID(b), Name: c, Groups: []string{a, b}, Approved: yes}, Presence: &p}}
		sameAnswer(t, buddyPage{items, next + "x"}, listOf(items, new(next+"x")))
		sameAnswer(t, presenceAnswer{presenceItems{p}, perch.Time(at)}, presenceList{[]perch.Presence{p}, perch.Time(at)})
	})
}

// TestBodiesAreNotMixed: the memory of an answer is used again for the next one, and an answer that
// was given keeps its bytes.
func TestBodiesAreNotMixed(t *testing.T) {
	long, short := httptest.NewRecorder(), httptest.NewRecorder()
	writeAppended(long, http.StatusOK, buddyItem{Buddy: perch.Buddy{JID: "somebody.with.a.long.name@example.net"}})
	writeAppended(short, http.StatusOK, presenceItems{})
	if got, want := short.Body.String(), "[]\n"; got != want {
		t.Errorf("the second answer: got %q, want %q", got, want)
	}
	if got := long.Body.String(); len(got) < 100 || got[len(got)-2:] != "}\n" || short.Header().Get("Content-Type") != "application/json" {
		t.Errorf("the first answer: got %q, type %q; want it whole, and application/json", got, short.Header().Get("Content-Type"))
	}
}
