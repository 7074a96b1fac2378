package perch_test

import (
	"encoding/json"
	"testing"

	"github.com/perch-im/perch"
)

func TestSmallSetsOnTheWire(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{perch.ShowNone, "null"}, {perch.ShowDND, `"dnd"`}, {perch.Show(99), "null"},
		{perch.AskNone, "null"}, {perch.AskSubscribe, `"subscribe"`},
		{perch.SubscriptionNone, `"none"`}, {perch.Subscription(0), `"none"`}, {perch.SubscriptionRemove, `"remove"`},
	} {
		if got, err := json.Marshal(c.value); err != nil || string(got) != c.want {
			t.Errorf("%#v is written as %s (%v), want %s", c.value, got, err, c.want)
		}
	}
	var b struct {
		Show         perch.Show
		Subscription perch.Subscription
		Ask          perch.Ask
	}
	if err := json.Unmarshal([]byte(`{"Show":"xa","Subscription":"from","Ask":null}`), &b); err != nil {
		t.Fatalf("json.Unmarshal: got error %v, want none", err)
	}
	if b.Show != perch.ShowXA || b.Subscription != perch.SubscriptionFrom || b.Ask != perch.AskNone {
		t.Errorf("got %+v, want %v and %v and %v", b, perch.ShowXA, perch.SubscriptionFrom, perch.AskNone)
	}
	for _, bad := range []string{`{"Show":"busy"}`, `{"Subscription":"half"}`, `{"Ask":1}`} {
		if err := json.Unmarshal([]byte(bad), &b); err == nil {
			t.Errorf("%s was read, want an error", bad)
		}
	}
	if _, ok := perch.ParseShow("busy"); ok {
		t.Error("got busy read as a show, want it refused")
	}
	if s, ok := perch.ParseSubscription(""); !ok || s != perch.SubscriptionNone {
		t.Errorf("got another subscription for a missing one, want %v", perch.SubscriptionNone)
	}
}
