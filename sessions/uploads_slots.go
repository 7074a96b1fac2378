package sessions

import (
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/ttlmap"
)

const (
	maxSlots = 32              // slots of one session that the proxy may still be asked for
	slotLife = 5 * time.Minute // how long a service takes a file (XEP-0363, 5: some 300 seconds)
)

// uploadSlots are the slots of a session to which files may go through the gateway. A session has them
// once it asks for one. They belong to the owner and are not stored: a session that moves to another node
// asks anew.
type uploadSlots struct {
	slots ttlmap.Map[string, *Upload]
	busy  string // the id of what is under way
}

func useSlots(s *Session) *uploadSlots {
	if s.uploads == nil {
		s.uploads = &uploadSlots{slots: ttlmap.Map[string, *Upload]{Max: maxSlots}}
	}
	return s.uploads
}

// add keeps a slot. Of too many the oldest is forgotten.
func (x *uploadSlots) add(up Upload) { x.slots.Put(up.ID, &up, time.Now(), slotLife) }

func (x *uploadSlots) begin(id string) (Upload, error) {
	up, ok := x.slots.Get(id, time.Now())
	switch {
	case !ok:
		return Upload{}, perch.Errorf(perch.KindNotFound, "there is no such upload, or its slot has expired: ask for another one with POST /v1/uploads")
	case x.busy != "":
		return Upload{}, &perch.Error{Kind: perch.KindConflict, RetryAfter: time.Second,
			Detail: "another upload of this session is under way: wait for its end"}
	}
	x.busy = id
	return *up, nil
}

// end lets the next one begin; the slot of a file that has arrived is used up.
func (x *uploadSlots) end(id string, done bool) {
	if x.busy == id {
		x.busy = ""
	}
	if done {
		x.slots.Delete(id, time.Now())
	}
}
