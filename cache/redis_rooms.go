package cache

import (
	"errors"
	"fmt"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// roomRowVersion is that of the rows that are written. A later version which cannot add a field, but
// must change the meaning of one, writes the next number, and reads this one.
const roomRowVersion = 1

// roomRow is a row of the hash of rooms, by the key of the JID.
type roomRow struct {
	Version int `json:"v"`
	*sessions.StoredRoom
	Features uint32 `json:"features,omitempty"` // in place of those of the room, which take 200 bytes
}

func newRoomRow(r *sessions.StoredRoom) any {
	row := roomRow{Version: roomRowVersion, StoredRoom: r}
	features := r.Features
	for i, f := range featureBits(&features) {
		if *f {
			row.Features |= 1 << i
		}
	}
	return row
}

// room is what the row says.
func (row *roomRow) room() *sessions.StoredRoom {
	for i, f := range featureBits(&row.StoredRoom.Features) {
		*f = row.Features&(1<<i) != 0
	}
	return row.StoredRoom
}

// featureBits are the features in the order of their bits, to which new ones are added at the end.
func featureBits(f *perch.RoomFeatures) []*bool {
	return []*bool{
		&f.Archive, &f.OccupantIDs, &f.Moderation, &f.MembersOnly, &f.RealJIDs,
		&f.Password, &f.Moderated, &f.Persistent, &f.Public, &f.Avatar,
	}
}

// decodeRooms reads the hash. A row of a later version is refused, as everywhere: whoever left it out
// would leave a room, and write what it has lost.
func decodeRooms(reply any) ([]*sessions.StoredRoom, error) {
	fields, rows := pairs(reply)
	if len(fields) == 0 {
		return nil, nil
	}
	list := make([]*sessions.StoredRoom, len(fields))
	for i, field := range fields {
		row, err := decode[roomRow](rows[i])
		switch {
		case err != nil:
			return nil, err
		case row.Version != roomRowVersion:
			return nil, corrupt(fmt.Errorf("a room of version %d, and this program knows %d", row.Version, roomRowVersion))
		case row.StoredRoom == nil || roomKey(row.StoredRoom) != field:
			return nil, corrupt(errors.New("the row of another room"))
		}
		list[i] = row.room()
	}
	return list, nil
}
