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
		if err := s.backfill(&s.o.Archive[i]); err != nil {
			return err
		}
	}
	for i := range s.o.Accounts {
		if err := s.checkRooms(&s.o.Accounts[i]); err != nil {
			return err
		}
		if err := s.bookmark(&s.o.Accounts[i]); err != nil {
			return err
		}
	}
	for i := range s.o.Accounts {
		s.startBot(&s.o.Accounts[i])
	}
	for i := range s.o.Rooms {
		s.startTalk(&s.o.Rooms[i])
	}
	return nil
}

// roomNamed is the room with a localpart, or nil.
func (s *Service) roomNamed(local string) *room {
	return s.rooms.list[local+"@"+roomsHost+s.o.Domain]
}

// checkRooms refuses rooms of an account that there are not.
func (s *Service) checkRooms(o *Account) error {
	lists := map[string][]string{"Bookmarks": o.Bookmarks}
	if o.Bot != nil {
		lists["Bot.Rooms"] = o.Bot.Rooms
	}
	for field, locals := range lists {
		for _, local := range locals {
			if s.roomNamed(local) == nil {
				return fmt.Errorf("today: account %q: %s: there is no room %q", o.Local, field, local)
			}
		}
	}
	return nil
}

// bookmark makes the bookmarks of an account.
func (s *Service) bookmark(o *Account) error {
	a := s.accounts[o.Local]
	for _, local := range o.Bookmarks {
		r := s.roomNamed(local)
		e := xmppserver.NewElement(nodeBookmarks, "conference",
			xmppserver.Node{El: xmppserver.NewElement(nodeBookmarks, "nick", xmppserver.Node{Text: a.nick()})})
		e.Attr = []xml.Attr{{Name: xml.Name{Local: "name"}, Value: r.title()}, {Name: xml.Name{Local: "autojoin"}, Value: "true"}}
		if condition := s.publish(a, nodeBookmarks, bookmarksConfig(maxNodeItems), newItem(r.jid, e)); condition != "" {
			return fmt.Errorf("today: account %q: Bookmarks: %s", o.Local, condition)
		}
	}
	if len(o.Bookmarks) == 0 {
		return nil
	}
	if condition := s.nodeChanged(a, nodeBookmarks); condition != "" {
		return fmt.Errorf("today: account %q: Bookmarks: %s", o.Local, condition)
	}
	return nil
}
