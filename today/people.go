package today

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
	if err := s.startBots(); err != nil {
		return err
	}
	for i := range s.o.Rooms {
		s.startTalk(&s.o.Rooms[i])
	}
	return nil
}
