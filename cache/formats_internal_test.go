package cache

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/internal/conversations"
	"github.com/perch-im/perch/sessions"
)

// TestFormats: the versions that are printed are those that stand in what is written.
func TestFormats(t *testing.T) {
	version := func(row any) int {
		text, err := json.Marshal(row)
		if err != nil {
			t.Fatalf("json.Marshal: got error %v, want none", err)
		}
		var as struct{ V int }
		if err := json.Unmarshal(text, &as); err != nil {
			t.Fatalf("json.Unmarshal: got error %v, want none", err)
		}
		return as.V
	}
	written := map[string]int{
		"contact":      int(contacts.AppendRow(nil, &contacts.Contact{Buddy: perch.Buddy{JID: "bob@example.net"}})[0]>>6) - 1,
		"conversation": int(conversations.AppendRow(nil, &conversations.State{JID: "bob@example.net"})[0]),
		"room":         version(newRoomRow(&sessions.StoredRoom{})),
		"reader":       version(newReaderRow(&sessions.StoredReader{})),
		"log":          logVersion,
		"keyspace":     keyspaceVersion,
	}
	for _, f := range Formats() {
		if f.Writes != written[f.Record] {
			t.Errorf("%s: got version %d, want the %d of what is written", f.Record, f.Writes, written[f.Record])
		}
		if !slices.IsSorted(f.Reads) || !slices.Contains(f.Reads, f.Writes) {
			t.Errorf("%s: reads %v, want it ascending and with %d", f.Record, f.Reads, f.Writes)
		}
		delete(written, f.Record)
	}
	if len(written) > 0 {
		t.Errorf("got no format of %v, want one", written)
	}
}
