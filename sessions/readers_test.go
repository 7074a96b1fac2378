package sessions_test

import (
	"testing"

	"github.com/perch-im/perch"
)

// TestReaderGetsEveryEvent: each event that comes after a webhook was put is brought to it, in order and once.
func TestReaderGetsEveryEvent(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		before := w.say(s, 2)
		made := w.putReader(s, hook("a"))
		if made.State != perch.ReaderActive || made.Cursor.Offset != before {
			t.Errorf("PutReader: got state %s, cursor %v, want %s at %d", made.State, made.Cursor, perch.ReaderActive, before)
		}
		w.say(s, 3)
		if got, want := offsets(c.next()), "[4][5][6]"; got != want {
			t.Errorf("got the events %s, want %s", got, want)
		}
		if r := w.reader(s, perch.WebhookReader, "a"); r.Cursor.Offset != before+3 || r.Last.Status != 200 {
			t.Errorf("got cursor %v, last attempt %+v, want %d and 200", r.Cursor, r.Last, before+3)
		}
	}, withReceiver(c))
}
