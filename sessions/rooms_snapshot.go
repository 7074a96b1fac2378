package sessions

import (
	"encoding/json"

	"github.com/perch-im/perch"
)

// roomJSON is an item of rooms.snapshot.
type roomJSON struct{ perch.Room }

// AppendJSON implements jsonappend.Value.
func (r roomJSON) AppendJSON(b []byte) []byte {
	text, err := json.Marshal(r.Room)
	if err != nil {
		return append(b, "null"...) // of plain fields: cannot fail
	}
	return append(b, text...)
}

// shown are all rooms, for a stream that begins.
func (x *roomList) shown() []roomJSON {
	list := make([]roomJSON, 0, len(x.byKey))
	for _, r := range x.sorted() {
		list = append(list, roomJSON{x.view(r)})
	}
	return list
}

// passesRoom reports whether the filter of conversations lets a room pass.
func (sub *Subscription) passesRoom(jid perch.JID) bool {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	if sub.only == nil {
		return true
	}
	_, ok := sub.only[jid.Key()]
	return ok
}
