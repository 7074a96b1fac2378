package sessions

import (
	"cmp"
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// Archive asks the upstream for messages exchanged with one account, or a room for its history. It waits
// for it.
func (s *Session) Archive(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	inRoom := false
	if err := s.call(ctx, func() { inRoom = roomsOf(s).isRoomArchive(q.With) }); err != nil {
		return perch.ArchivePage{}, err
	}
	if inRoom {
		return RoomsOf(s).history(ctx, q)
	}
	conn, err := s.request(ctx, "keep an archive", func(c perch.Capabilities) bool { return c.Archive != "" })
	if err != nil {
		return perch.ArchivePage{}, err
	}
	page, err := conn.Archive(ctx, q)
	if slices.ContainsFunc(page.Items, func(it perch.ArchiveItem) bool { return !it.From.IsBare() || !it.To.IsBare() }) {
		if terr := s.call(ctx, func() {
			for i := range page.Items {
				s.rooms.placeArchived(&page.Items[i].MessageIn, s.state.JID)
			}
		}); terr != nil {
			return page, cmp.Or(err, terr)
		}
	}
	for _, it := range page.Items {
		s.rememberAddresses(it.From, it.To)
	}
	return page, err
}
