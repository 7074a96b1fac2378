package perch_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/perch-im/perch"
)

// appender is a value that is written by hand.
type appender interface{ AppendJSON(b []byte) []byte }

// appended has each type that is written by hand, in the form in which events have it.
func appended() []any {
	return []any{
		&perch.Message{}, &perch.Presence{}, &perch.ChatStateChange{}, &perch.StatusChange{}, &perch.Buddy{}, &perch.Resource{},
		&perch.Invitation{}, &perch.SessionInfo{},
	}
}

// sameJSON compares the encoding by hand, and that of an event, with encoding/json.
func sameJSON(t *testing.T, v any) {
	t.Helper()
	want, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("json.Marshal(%+v): got error %v, want none", v, err)
	}
	if got := string(v.(appender).AppendJSON([]byte("["))); got != "["+string(want) {
		t.Errorf("AppendJSON of %T: got\n%s, want by encoding/json\n[%s", v, got, want)
	}
	for _, data := range []any{v, reflect.ValueOf(v).Elem().Interface(), perch.RawData(want)} {
		e := perch.NewEvent(perch.Position{Epoch: "k<", Offset: 7}, perch.EventMessageReceived, 1e12, data)
		if got, want := string(e.Wire), `{"id":"k\u003c-7","type":"message.received","time":"2001-09-09T01:46:40.000Z","data":`+string(want)+`}`; got != want {
			t.Errorf("an event with %T: got\n%s, want\n%s", data, got, want)
		}
	}
}

// fill sets what can be set below v to something that is not zero, and calls see after each.
func fill(t *testing.T, v reflect.Value, see func()) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString("a \"<é\u2028")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int64:
		v.SetInt(-100)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		see()
		fill(t, v.Elem(), see)
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(t, field, see)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 0, 2))
		see()
		for range 2 {
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
			see()
			fill(t, v.Index(v.Len()-1), see)
		}
	default:
		t.Fatalf("got a field of the kind %s, want one that this test can fill", v.Kind())
	}
	see()
}

// TestAppendedJSON: what is written by hand is what encoding/json writes, with each field empty
// and not. A field that was forgotten shows.
func TestAppendedJSON(t *testing.T) {
	for _, v := range appended() {
		t.Run(fmt.Sprintf("%T", v), func(t *testing.T) {
			sameJSON(t, v)
			fill(t, reflect.ValueOf(v).Elem(), func() { sameJSON(t, v) })
		})
	}
}

func TestAppendedTimes(t *testing.T) {
	for _, at := range []time.Time{
		{}, time.Unix(0, 0), time.Unix(-1, 999e6), time.Date(1, 1, 1, 0, 0, 0, 1e6, time.UTC), time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(-5, 2, 3, 4, 5, 6, 7e6, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2024, 2, 29, 12, 0, 0, 5e6, time.UTC), time.Date(2026, 11, 9, 8, 7, 6, 45e6, time.UTC),
	} {
		want := "null"
		if !at.IsZero() && at.UnixMilli() != 0 {
			want = at.UTC().Format(`"2006-01-02T15:04:05.000Z"`)
		}
		if got := string(perch.At(at).AppendJSON(nil)); got != want {
			t.Errorf("AppendJSON of %s: got %s, want %s", at, got, want)
		}
	}
}

// FuzzAppendedJSON: whatever the texts and numbers are.
func FuzzAppendedJSON(f *testing.F) {
	f.Add("a", "b\u2028", "<", "\xff", int64(1_700_000_000_123), int8(-1), true)
	f.Add("", "\x00", "", "", int64(0), int8(0), false)
	f.Add("", "", "é", "", int64(-62_135_596_800_000), int8(127), true)
	f.Fuzz(func(t *testing.T, a, b, c, d string, at int64, n int8, yes bool) {
		if want := time.UnixMilli(at).UTC().Format(`"2006-01-02T15:04:05.000Z"`); at != 0 && string(perch.Time(at).AppendJSON(nil)) != want {
			t.Errorf("AppendJSON of %d: got %s, want %s", at, perch.Time(at).AppendJSON(nil), want)
		}
		var delay *perch.Delay
		var failed *perch.XMPPError
		var devices []perch.Resource
		if yes {
			delay, failed = &perch.Delay{Stamp: perch.Time(at), From: d}, &perch.XMPPError{Condition: a, Type: b, Text: c, By: d}
			devices = []perch.Resource{{Resource: a, Show: perch.Show(n), Priority: n, Status: b, UpdatedAt: perch.Time(at)}, {}}
		}
		for _, v := range []any{
			&perch.Message{ID: a, StanzaID: b, RoomStanzaID: c, OriginID: d, From: perch.JID(a), To: perch.JID(b), Kind: perch.MessageKind(c),
				Body: d, Thread: a, Subject: b, Delay: delay, Source: perch.Source(c)},
			&perch.StatusChange{ID: a, Status: perch.MessageStatus(b), Time: perch.Time(at), Error: failed},
			&perch.ChatStateChange{From: perch.JID(c), State: perch.ChatState(d)},
			&perch.Presence{JID: perch.JID(a), Available: yes, Show: perch.Show(n), Priority: n, Stale: !yes, Status: b, Resources: devices, UpdatedAt: perch.Time(at)},
			&perch.Buddy{JID: perch.JID(a), Name: b, Groups: []string{c, d}, Subscription: perch.Subscription(n), Ask: perch.Ask(n), Approved: yes, Mutual: !yes},
			&perch.Resource{Resource: d, Show: perch.Show(n), Priority: n, Status: c, UpdatedAt: perch.Time(at)},
			&perch.Invitation{JID: perch.JID(a), Nick: b, Message: c, ReceivedAt: perch.Time(at)},
			&perch.SessionInfo{JID: perch.JID(a), Resource: b, State: perch.State(c), Reason: d, Since: perch.Time(at), Upstream: a, Delivery: b,
				Features: []string{c, d}, PingRTT: &at, Streams: int(n)},
		} {
			sameJSON(t, v)
		}
	})
}

// TestEventMemory: an event is what it keeps, and nothing beside.
func TestEventMemory(t *testing.T) {
	m := &perch.Message{ID: "m1", From: "b@b.test", To: "a@b.test", Kind: perch.ChatMessage, Body: "Hello", Source: perch.SourceLive}
	if n := testing.AllocsPerRun(100, func() { _ = perch.NewEvent(perch.Position{Epoch: "k", Offset: 7}, perch.EventMessageReceived, 1, m) }); n != 2 {
		t.Errorf("got %v allocations for an event, want 2: the event and its envelope", n)
	}
}

func BenchmarkNewEvent(b *testing.B) {
	at := perch.At(time.Date(2026, 11, 21, 0, 58, 40, 123e6, time.UTC))
	for _, v := range []struct {
		name string
		typ  perch.EventType
		data any
	}{
		{"message", perch.EventMessageReceived, &perch.Message{ID: "ef7d1b2c-4f3a-4d7a-9f0e-5b0c7a3d2e11", From: "romeo@montague.example/balcony", To: "me@a.test/home",
			Kind: perch.ChatMessage, Body: "See you at the station at half past six, will you?", Source: perch.SourceLive}},
		{"chat_state", perch.EventChatState, perch.ChatStateChange{From: "romeo@montague.example/balcony", State: perch.StateActive}},
		{"presence", perch.EventPresence, &perch.Presence{JID: "romeo@montague.example", Available: true, Show: perch.ShowAway, Status: "Wooing", UpdatedAt: at,
			Resources: []perch.Resource{{Resource: "balcony", Show: perch.ShowAway, Status: "Wooing", UpdatedAt: at}}}},
		{"gap", perch.EventSessionGap, perch.Gap{From: at, To: at, Reason: perch.GapTimeout}},
	} {
		b.Run(v.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = perch.NewEvent(perch.Position{Epoch: "0123456789abcdef", Offset: 7}, v.typ, at, v.data)
			}
		})
	}
}
