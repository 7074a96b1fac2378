package occupants

import (
	"time"

	"github.com/perch-im/perch"
)

// A session that is behind the others says the older thing about a nick, or that it is gone, and then
// what they have said before it. But it need not know all that they have said: the room tells the real
// addresses to some of its sessions alone, and no session says of itself that the others were told of
// it. So what a row has lost is remembered for a while. A wrong guess about an address does not last:
// who may see addresses is told each of them by its own stream.

// maxLost is how many rows of a table are remembered.
const maxLost = 64

// lostRow is what a row had.
type lostRow struct {
	key, occupantID, address string
	public                   bool
	at                       time.Time
}

// addressOf is the real address of who is reported, as far as it is known. R is the row of the nick;
// nil: there is none.
func (t *table) addressOf(o *perch.Occupant, key string, r *row) string {
	if o.JID != "" {
		return string(o.JID)
	}
	if r != nil {
		if had := r.occupant(); had.JID != "" && !differ(had.OccupantID, o.OccupantID) {
			return string(had.JID)
		}
	}
	if l := t.lostRow(key, func(l *lostRow) bool { return l.address != "" && !differ(l.occupantID, o.OccupantID) }); l != nil {
		return l.address
	}
	return ""
}

// told reports whether others were told of this nick a moment ago.
func (t *table) told(key string) bool {
	return t.lostRow(key, func(l *lostRow) bool { return l.public }) != nil
}

// lostRow returns the last one of a nick that is wanted.
func (t *table) lostRow(key string, wanted func(*lostRow) bool) *lostRow {
	for i := len(t.lost) - 1; i >= 0 && time.Since(t.lost[i].at) < settle; i-- {
		if l := &t.lost[i]; l.key == key && wanted(l) {
			return l
		}
	}
	return nil
}

// lose remembers a row that is removed, or taken by somebody else.
func (t *table) lose(key string, r *row) {
	if t.private || len(t.members) < 2 {
		return
	}
	if len(t.lost) >= maxLost {
		t.lost = append(t.lost[:0], t.lost[1:]...)
	}
	o := r.occupant()
	t.lost = append(t.lost, lostRow{key, o.OccupantID, string(o.JID), r.public(), time.Now()})
}
