package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// lookAgain asks a room once more what it is, because it has said that this has changed. A join asks by
// itself.
func (x *roomList) lookAgain(r *room) {
	l := x.host.stream()
	if l == nil || r.row.State != perch.RoomStateJoined || r.asking {
		r.askAgain = r.asking
		return
	}
	conn, ok := l.conn.(RoomConn)
	if !ok {
		return
	}
	r.asking, r.askAgain = true, false
	jid := r.jid()
	x.host.background(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, roomInfoTime)
		defer cancel()
		info, err := conn.RoomInfo(ctx, jid)
		x.host.post(func() {
			r.asking = false
			switch {
			case x.find(jid) != r:
			case r.askAgain:
				x.lookAgain(r)
			case err != nil:
				x.host.logDebug("a room whose configuration has changed did not say how", "error", err)
			case x.host.stream() == l:
				x.learn(r, &info)
			}
		})
	})
}
