package today

import (
	"encoding/xml"
	"fmt"

	"github.com/perch-im/perch/internal/xmppserver"
)

// addPeople makes what the options have: accounts, rooms, and what was said before. It is called by New,
// before anybody can be there.
func (s *Service) addPeople() error {
	if err := s.addAccounts(s.o.Accounts); err != nil {
		return err
	}
	for i := range s.o.Rooms {
		if err := s.rooms.add(&s.o.Rooms[i]); err != nil {
			return err
		}
	}
	for i := range s.o.Archive {
		if err := s.recall(&s.o.Archive[i]); err != nil {
			return err
		}
	}
	for i := range s.o.Accounts {
		if err := s.bookmark(&s.o.Accounts[i]); err != nil {
			return err
		}
	}
	if err := s.startBots(); err != nil {
		return err
	}
	for i := range s.o.Rooms {
		s.startTalk(&s.o.Rooms[i])
	}
	return nil
}

// bookmark makes the bookmarks of an account.
func (s *Service) bookmark(o *Account) error {
	a := s.accounts[o.Local]
	for _, local := range o.Bookmarks {
		r := s.rooms.list[local+"@"+roomsHost+s.o.Domain]
		if r == nil {
			return fmt.Errorf("today: account %q: Bookmarks: there is no room %q", o.Local, local)
		}
		e := xmppserver.NewElement(nodeBookmarks, "conference",
			xmppserver.Node{El: xmppserver.NewElement(nodeBookmarks, "nick", xmppserver.Node{Text: a.nick()})})
		e.Attr = []xml.Attr{{Name: xml.Name{Local: "name"}, Value: r.title()}, {Name: xml.Name{Local: "autojoin"}, Value: "true"}}
		if condition := s.publish(a, nodeBookmarks, bookmarksConfig(maxNodeItems), newItem(r.jid, e)); condition != "" {
			return fmt.Errorf("today: account %q: Bookmarks: %s", o.Local, condition)
		}
	}
	if len(o.Bookmarks) > 0 {
		s.nodeChanged(a, nodeBookmarks)
	}
	return nil
}
