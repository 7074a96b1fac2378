package sessions

import "github.com/perch-im/perch"

// keepPassword keeps the password of a room: sealed in its row, or where there is no key for that in
// this process alone.
func (x *roomList) keepPassword(r *room, password perch.Secret) {
	r.row.Wanted.Password = x.sealed.sealPassword(x.id, r.jid(), password)
	r.password = password
}

// passwordOf is the password that a join sends, or "": that of the client, else that of the bookmark or
// of the invitation.
func (x *roomList) passwordOf(r *room) string {
	if !r.password.IsZero() {
		return r.password.Reveal()
	}
	for _, sealed := range [][]byte{r.row.Wanted.Password, r.row.bookmarkPassword(), r.row.invitedPassword()} {
		if p := x.sealed.openPassword(x.id, r.jid(), sealed); !p.IsZero() {
			return p.Reveal()
		}
	}
	return ""
}

// sealAgain seals every password with the first key. What a committed row points to is not changed.
func (x *roomList) sealAgain() {
	for _, r := range x.byKey {
		again := func(sealed []byte) []byte {
			if p := x.sealed.openPassword(x.id, r.jid(), sealed); !p.IsZero() {
				return x.sealed.sealPassword(x.id, r.jid(), p)
			}
			return sealed
		}
		if r.row.Wanted.Password == nil && r.row.bookmarkPassword() == nil && r.row.invitedPassword() == nil {
			continue
		}
		r.row.Wanted.Password = again(r.row.Wanted.Password)
		if r.row.Bookmark != nil {
			b := *r.row.Bookmark
			b.Password = again(b.Password)
			r.row.Bookmark = &b
		}
		if r.row.Invited != nil {
			i := *r.row.Invited
			i.Password = again(i.Password)
			r.row.Invited = &i
		}
		x.put(r)
	}
}

func (r *StoredRoom) bookmarkPassword() []byte {
	if r.Bookmark == nil {
		return nil
	}
	return r.Bookmark.Password
}

func (r *StoredRoom) invitedPassword() []byte {
	if r.Invited == nil {
		return nil
	}
	return r.Invited.Password
}

// sealPassword implements passwords.
func (m *Manager) sealPassword(id ID, room perch.JID, password perch.Secret) []byte {
	return m.settings().sealer.seal(roomSeal(id, room), perch.Account{Password: password}, 0)
}

// openPassword implements passwords.
func (m *Manager) openPassword(id ID, room perch.JID, sealed []byte) perch.Secret {
	acc, _, _ := m.settings().sealer.open(roomSeal(id, room), sealed)
	return acc.Password
}

// roomSeal is what the password of a room is bound to: it opens for no other room, and not as the
// credential of a session.
func roomSeal(id ID, room perch.JID) ID { return id + " " + ID(room.Bare().Key()) }
