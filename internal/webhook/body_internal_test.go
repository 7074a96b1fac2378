package webhook

import (
	"encoding/json"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// FuzzIDs: whatever the data of an event is, what is left of it is JSON and has no text of a message.
func FuzzIDs(f *testing.F) {
	for _, data := range []string{`{"id":"a","ref":"b","body":"text","from":"bob@example.net/x"}`, `{"jid":"a@b"}`, `null`, `[]`, `{"id":1}`, `{"conversation":"\u0000"}`} {
		f.Add("message.received", data)
		f.Add("roster.item", data)
	}
	f.Fuzz(func(t *testing.T, typ, data string) {
		if !json.Valid([]byte(data)) {
			return
		}
		e := perch.EventOf(perch.Position{Epoch: "e", Offset: 1}, perch.EventType(typ), 1, data)
		d := &sessions.Delivery{Account: "alice@example.org", Reader: perch.Reader{Spec: perch.ReaderSpec{Include: perch.IncludeIDs}}, Events: []*perch.Event{e}}
		var x struct {
			Data struct {
				Events []struct {
					Data map[string]string `json:"data"`
				}
			}
		}
		body := bodyOf(d, e.Time.Time())
		if err := json.Unmarshal(body, &x); err != nil || len(x.Data.Events) != 1 {
			t.Fatalf("%s %s: got %s, error %v, want JSON with one event", typ, data, body, err)
		}
		for name := range x.Data.Events[0].Data {
			if name != "id" && name != "ref" && name != "conversation" {
				t.Errorf("%s %s: got %q in %s, want names of messages alone", typ, data, name, body)
			}
		}
	})
}
