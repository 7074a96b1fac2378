package perch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
)

func TestEnvelope(t *testing.T) {
	at := perch.At(time.Date(2026, 11, 21, 0, 58, 40, 123456789, time.UTC))
	durable := perch.NewEvent(perch.Position{Epoch: "k", Offset: 7}, perch.EventRosterRemoved, at, perch.Removed{JID: "b@b.test"})
	if got, want := string(durable.Wire), `{"id":"k-7","type":"roster.removed","time":"2026-11-21T00:58:40.123Z","data":{"jid":"b@b.test"}}`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	signal := perch.NewEvent(perch.Position{}, perch.EventChatState, at, perch.ChatStateChange{From: "b@b.test", State: perch.StatePaused})
	if got, want := string(signal.Wire), `{"type":"chat_state","time":"2026-11-21T00:58:40.123Z","data":{"from":"b@b.test","state":"paused"}}`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if !durable.Type.Durable() || signal.Type.Durable() || perch.EventPresence.Durable() {
		t.Error("got other durable types, want those of messages and not those of signals")
	}
}

// TestEventOf: an envelope and its data can be taken apart and put together again.
func TestEventOf(t *testing.T) {
	for name, e := range map[string]*perch.Event{
		"durable": perch.NewEvent(perch.Position{Epoch: "k", Offset: 7}, perch.EventMessageReceived, 1, perch.Message{Body: `a","data":{`}),
		"signal":  perch.NewEvent(perch.Position{}, perch.EventLive, 0, nil),
	} {
		data := e.Data()
		if want := e.Wire[bytes.Index(e.Wire, []byte(`"data":`))+7 : len(e.Wire)-1]; !bytes.Equal(data, want) {
			t.Errorf("%s: got the data %s, want %s", name, data, want)
		}
		if again := perch.EventOf(e.Position, e.Type, e.Time, string(data)); !bytes.Equal(again.Wire, e.Wire) || again.Position != e.Position || again.Type != e.Type || again.Time != e.Time {
			t.Errorf("%s: got %s, want %s", name, again.Wire, e.Wire)
		}
		e.Time++
		if data := e.Data(); data != nil {
			t.Errorf("%s, of another time than its envelope: got the data %s, want none", name, data)
		}
	}
	if data := (&perch.Event{Type: perch.EventLive}).Data(); data != nil {
		t.Errorf("an event without an envelope: got the data %s, want none", data)
	}
}

// TestEventDecode reads what NewEvent has written.
func TestEventDecode(t *testing.T) {
	want := perch.Message{ID: "m1", From: "b@b.test", To: "a@b.test", Kind: perch.ChatMessage, Body: "a \" b\u2028"}
	e := perch.NewEvent(perch.Position{Epoch: "k", Offset: 7}, perch.EventMessageReceived, 1, want)
	var got perch.Message
	if err := e.Decode(&got); err != nil || got != want {
		t.Errorf("Decode() = %+v, %v, want %+v", got, err, want)
	}
	var raw json.RawMessage
	if err := e.Decode(&raw); err != nil || !bytes.Contains(e.Wire, append([]byte(`"data":`), raw...)) {
		t.Errorf("Decode() of raw data = %s, %v, want the data of %s", raw, err, e.Wire)
	}
	var number int
	if err := e.Decode(&number); err == nil || !strings.Contains(err.Error(), "message.received") {
		t.Errorf("Decode() into a number: got error %v, want one that names the event", err)
	}
	none := &perch.Event{Type: perch.EventLive, Wire: []byte(`{"type":"live","data":null}`)}
	if err := none.Decode(&got); err != nil || got != want {
		t.Errorf("Decode() of null = %+v, %v, want no change", got, err)
	}
}

func TestTimeOnTheWire(t *testing.T) {
	var got struct{ A, B perch.Time }
	if err := json.Unmarshal([]byte(`{"A":"2012-05-01T12:00:00.5+02:00","B":null}`), &got); err != nil {
		t.Fatalf("json.Unmarshal: got error %v, want none", err)
	}
	if s := got.A.String(); s != "2012-05-01T10:00:00.500Z" || !got.B.IsZero() {
		t.Errorf("got %s %v, want %q and IsZero true", s, got.B, "2012-05-01T10:00:00.500Z")
	}
	if b, err := json.Marshal(got); err != nil || string(b) != `{"A":"2012-05-01T10:00:00.500Z","B":null}` {
		t.Errorf("got %s %v, want no error and %q", b, err, `{"A":"2012-05-01T10:00:00.500Z","B":null}`)
	}
	if err := json.Unmarshal([]byte(`{"A":"yesterday"}`), &got); err == nil {
		t.Error("got yesterday read as a time, want an error")
	}
	if perch.At(time.Time{}) != 0 || !perch.Time(0).Time().IsZero() {
		t.Error("got a time for none, want 0 and the zero time")
	}
}

func TestErrorsHaveAKind(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("outer: %w", perch.Wrap(perch.KindLinkLost, cause, "for %s", "clients"))
	if perch.KindOf(err) != perch.KindLinkLost || !errors.Is(err, cause) {
		t.Errorf("got %v, want an error of the kind %v and %v", err, perch.KindLinkLost, cause)
	}
	if perch.KindOf(cause) != perch.KindInternal {
		t.Errorf("an error without a kind is internal: got %v, want an error of the kind %v", cause, perch.KindInternal)
	}
	inv := perch.Invalid("/to", "must not be %s", "empty")
	if inv.Kind != perch.KindValidation || len(inv.Fields) != 1 || inv.Fields[0].Pointer != "/to" || inv.Fields[0].Detail != "must not be empty" {
		t.Errorf("got %+v, want %v and 1 and %q and %q", inv, perch.KindValidation, "/to", "must not be empty")
	}
	e := &perch.Error{Kind: perch.KindXMPP, Detail: "refused", XMPP: &perch.XMPPError{Condition: "forbidden"}, Err: cause}
	if e.Error() != "xmpp-error: refused (forbidden): cause" {
		t.Errorf("got %v, want %q", e, "xmpp-error: refused (forbidden): cause")
	}
}
