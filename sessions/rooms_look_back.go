package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// maxLookBacks is how many control messages at once are about messages that are looked for.
const maxLookBacks = 16

// lookBack looks in the log for the message that a correction or a retraction is about, when it is not
// among the last ones, and reports whether it does so. Only where the room tells occupants apart: else
// nobody can be known to be the author of long ago. Other messages may overtake what it is for, and if
// the process ends meanwhile, the archive alone has it.
func (x *roomList) lookBack(r *room, in *perch.MessageIn, k *knownMessage, late bool) bool {
	rel := in.Relation
	switch {
	case !r.row.Features.OccupantIDs || k.author == 0 || rel.Moderated || x.looking >= maxLookBacks:
		return false
	case rel.Kind == perch.RelationEdit && r.byID(rel.Target, 0) == nil:
	case rel.Kind == perch.RelationRetraction && r.byArchive(r.original(rel.Target)) == nil:
	default:
		return false
	}
	x.looking++
	room, tip := r.jid(), x.tip()
	x.host.background(func(ctx context.Context) {
		e := x.search(ctx, room, rel, tip)
		x.host.post(func() {
			x.looking--
			if x.find(room) != r {
				return
			}
			if e != nil {
				r.known.addFirst(x.identify(r, e))
			}
			x.host.guarded(func() { x.relate(r, in, k, late) })
			r.known.replace(*k) // a correction may have become a message
			r.known.trim()
		})
	})
	return true
}

// search reads the log backwards for the message that is meant; nil: it is not there, as far back as it is
// searched.
func (x *roomList) search(ctx context.Context, room perch.JID, rel *perch.Relation, tip uint64) *perch.MessageIn {
	for end, read := tip, 0; end > 0 && read < refEvents; {
		n := min(end, recallPage)
		page, err := x.store.Log(ctx, x.id, end-n, int(n))
		if err != nil || len(page.Events) == 0 {
			return nil
		}
		for _, e := range slices.Backward(page.Events) {
			m := messageOf(e)
			if m == nil || m.Kind != perch.GroupchatMessage || !m.From.Bare().Equal(room) {
				continue
			}
			if rel.Kind == perch.RelationRetraction && m.RoomStanzaID == rel.Target || rel.Kind == perch.RelationEdit && (m.ID == rel.Target || m.OriginID == rel.Target) {
				return &perch.MessageIn{Message: *m, Sent: e.Type == perch.EventMessageSent}
			}
		}
		end, read = end-n, read+int(n)
	}
	return nil
}
