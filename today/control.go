package today

import (
	"crypto/sha256"
	"fmt"

	"github.com/perch-im/perch"
)

// AddAccount adds an account while the service runs, with all that it has in Options. Its contacts and its
// rooms must be there: else it is refused before anything has changed. Contacts that are online see it at once.
func (s *Service) AddAccount(o Account) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkRooms(&o); err != nil {
		return err
	}
	if err := s.addAccounts([]Account{o}); err != nil {
		return err
	}
	if err := s.bookmark(&o); err != nil {
		return err
	}
	s.startBot(&o)
	return nil
}

// SetPassword changes a password. Sessions stay; tokens of XEP-0484 that were given for the old one do not.
func (s *Service) SetPassword(local, password string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.find(local)
	if err != nil {
		return err
	}
	prepared, err := preparePassword(local, password)
	if err != nil {
		return err // and what was the password stays it
	}
	a.password = prepared
	a.fast = fastTokens{}
	return nil
}

// AddToken makes a text of the caller's choice a token of an account for OAUTHBEARER (RFC 7628).
func (s *Service) AddToken(local, token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.find(local)
	switch {
	case err != nil:
		return err
	case token == "":
		return fmt.Errorf("today: account %q: a token must have a text", local)
	}
	s.tokens[sha256.Sum256([]byte(token))] = a
	return nil
}

// RevokeToken refuses a token from now on. Streams that signed in with it stay.
func (s *Service) RevokeToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, sha256.Sum256([]byte(token)))
}

// JID is the bare JID of an account, "" for an unknown one.
func (s *Service) JID(local string) perch.JID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.accounts[local]; a != nil {
		return perch.JID(a.Bare)
	}
	return ""
}

// Logins is how often an account has proved who it is; an unknown one never has.
func (s *Service) Logins(local string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.accounts[local]; a != nil {
		return a.logins
	}
	return 0
}

func (s *Service) countLogin(a *account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.logins++
}

// find is the account with a localpart; s.mu is held.
func (s *Service) find(local string) (*account, error) {
	if a := s.accounts[local]; a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("today: there is no account %q", local)
}
