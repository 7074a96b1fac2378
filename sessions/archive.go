package sessions

import (
	"cmp"
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// Archive asks the upstream for messages exchanged with one account, or with all of them when With is "",
// or a room for its history. It waits for it. Where the archive cannot be searched, a query with a Text is
// of KindFeatureUnsupported.
func (s *Session) Archive(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	inRoom := false
	if err := s.call(ctx, func() { inRoom = roomsOf(s).isRoomArchive(q.With) }); err != nil {
		return perch.ArchivePage{}, err
	}
	if inRoom {
		return RoomsOf(s).history(ctx, q)
	}
	what, can := "keep an archive", func(c perch.Capabilities) bool { return c.Archive != "" }
	if q.Text != "" {
		what, can = "search its archive", func(c perch.Capabilities) bool { return c.Archive == archivePaged }
	}
	conn, err := s.request(ctx, what, can)
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
