package xmppconn

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// realUser is an account that is signed in on a real server.
type realUser struct {
	*Conn
	t   *testing.T
	jid perch.JID
	in  chan perch.Inbound
}

func newRealUser(t *testing.T, s *testkit.Server, prefix string) *realUser {
	t.Helper()
	u := s.NewUser(t, prefix)
	return signInAgain(t, s, perch.Account{JID: perch.JID(u.JID), Password: perch.NewSecret(u.Password)})
}

// signInAgain is one more connection of an account.
func signInAgain(t *testing.T, s *testkit.Server, acc perch.Account) *realUser {
	t.Helper()
	c, err := Dial(context.Background(), Upstream{Name: s.Name, Domain: s.Domain, Address: s.Addr, RootCAs: s.CA}, acc, Options{})
	if err != nil {
		t.Fatalf("Dial(): got error %v, want none", err)
	}
	r := &realUser{c, t, acc.JID, make(chan perch.Inbound, 1024)}
	c.Start(func(_ uint64, in perch.Inbound) {
		select {
		case r.in <- in:
		default: // nobody waits for it
		}
	}, func() {})
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	if _, err := c.Send(&perch.PresenceOut{OwnPresence: perch.OwnPresence{Available: true}}); err != nil {
		t.Fatalf("Send(): got error %v, want none", err)
	}
	return r
}

// write sends a stanza as it is.
func (r *realUser) write(xml string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.unlock()
	if err := r.enqueueStanza("", 0, func(b []byte) ([]byte, error) { return append(b, xml...), nil }); err != nil {
		r.t.Fatalf("enqueueStanza(): got error %v, want none", err)
	}
}

// join enters a room.
func (r *realUser) join(room perch.JID, nick string) {
	r.t.Helper()
	r.write("<presence to='" + string(room) + "/" + nick + "'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>")
	r.inside(room, nick, "")
}

// inside waits until a self-ping (XEP-0410) is answered with a condition; "" is in.
func (r *realUser) inside(room perch.JID, nick, want string) {
	r.t.Helper()
	testkit.Eventually(r.t, 10*time.Second, func() error {
		_, err := r.Ask(context.Background(), "ping", "get", room+"/"+perch.JID(nick), stanza.EncodePing(), nil)
		if perch.ConditionOf(err) != want || err != nil && want == "" {
			return perch.Errorf(perch.KindInternal, "got %v of %s in %s, want condition %q", err, nick, room, want)
		}
		return nil
	})
}

// awaitMessage returns the first message that fits.
func (r *realUser) awaitMessage(fits func(*perch.MessageIn) bool) *perch.MessageIn {
	r.t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case in := <-r.in:
			if m, ok := in.(*perch.MessageIn); ok && fits(m) {
				return m
			}
		case <-late:
			r.t.Fatal("got no such message, want one")
		}
	}
}

func (r *realUser) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatalf("%s: got error %v, want none", r.jid, err)
	}
}

// realServers runs a test on Prosody and ejabberd.
func realServers(t *testing.T, f func(t *testing.T, s *testkit.Server, service perch.JID)) {
	for name, start := range map[string]func(*testing.T) *testkit.Server{
		"Prosody":  func(t *testing.T) *testkit.Server { return testkit.Prosody(t, testkit.ProsodyOptions{}) },
		"ejabberd": func(t *testing.T) *testkit.Server { return testkit.Ejabberd(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			f(t, s, perch.JID("conference."+s.Domain))
		})
	}
}

// TestRoomAdminOnRealServers makes rooms on Prosody and ejabberd, and runs them.
func TestRoomAdminOnRealServers(t *testing.T) {
	realServers(t, func(t *testing.T, s *testkit.Server, service perch.JID) {
		owner, guest := newRealUser(t, s, "owner"), newRealUser(t, s, "guest")
		t.Run("services", func(t *testing.T) {
			if got, err := owner.RoomServices(context.Background()); err != nil || !slices.Equal(got, []perch.JID{service}) {
				t.Errorf("RoomServices() = %q, %v; want %q", got, err, service)
			}
		})
		t.Run("configuration", func(t *testing.T) { configureReal(t, owner, guest, "config@"+service) })
		t.Run("a new room that is not wanted", func(t *testing.T) {
			room := perch.JID("cancel@" + service)
			owner.join(room, "Al")
			owner.must(owner.CancelRoomConfig(context.Background(), room))
		})
		t.Run("lists", func(t *testing.T) { affiliateReal(t, owner, guest, newRealUser(t, s, "banned"), "lists@"+service) })
		t.Run("roles", func(t *testing.T) { kickReal(t, owner, guest, "roles@"+service) })
		t.Run("moderation", func(t *testing.T) {
			moderateReal(t, owner, guest, "moderated@"+service, s.Name == "prosody" || testkit.EjabberdAtLeast("24"))
		})
		t.Run("directory", func(t *testing.T) { directoryReal(t, owner, service, s.Name == "ejabberd") })
		t.Run("destroy", func(t *testing.T) { destroyReal(t, owner, guest, "destroyed@"+service) })
	})
}

// newRoom is a room that its owner has opened to others.
func newRoom(owner *realUser, room perch.JID) {
	owner.t.Helper()
	owner.join(room, "Al")
	owner.must(owner.SetRoomConfig(context.Background(), room, perch.RoomConfig{}))
}

// configureReal changes one thing after the other, and reads each back with the rest as it was.
func configureReal(t *testing.T, owner, guest *realUser, room perch.JID) {
	ctx := context.Background()
	owner.join(room, "Al")
	owner.must(owner.SetRoomConfig(ctx, room, perch.RoomConfig{Name: new("Room & Board"), Persistent: new(true), MembersOnly: new(false)}))
	first, err := owner.RoomConfig(ctx, room)
	owner.must(err)
	if *first.Name != "Room & Board" || !*first.Persistent || *first.MembersOnly || first.Fields == nil {
		t.Errorf("RoomConfig() = name %q, persistent %v, members only %v, %d other fields; want as it was set", *first.Name, *first.Persistent, *first.MembersOnly, len(first.Fields))
	}
	for name, tt := range map[string]struct {
		change perch.RoomConfig
		holds  func(perch.RoomConfig) bool
	}{
		"description": {perch.RoomConfig{Description: new("über")}, func(c perch.RoomConfig) bool { return *c.Description == "über" }},
		"public":      {perch.RoomConfig{Public: new(false)}, func(c perch.RoomConfig) bool { return !*c.Public }},
		"moderated":   {perch.RoomConfig{Moderated: new(true)}, func(c perch.RoomConfig) bool { return *c.Moderated }},
		"real JIDs":   {perch.RoomConfig{RealJIDs: new("anyone")}, func(c perch.RoomConfig) bool { return *c.RealJIDs == "anyone" }},
		"subject":     {perch.RoomConfig{ChangeSubject: new(true)}, func(c perch.RoomConfig) bool { return *c.ChangeSubject }},
		"invites":     {perch.RoomConfig{AllowInvites: new(true)}, func(c perch.RoomConfig) bool { return *c.AllowInvites }},
		"archive":     {perch.RoomConfig{Archive: new(true)}, func(c perch.RoomConfig) bool { return *c.Archive }},
		"password":    {perch.RoomConfig{Password: new("sesame")}, func(c perch.RoomConfig) bool { return *c.Password == "sesame" }},
		"no password": {perch.RoomConfig{Password: new("")}, func(c perch.RoomConfig) bool { return *c.Password == "" }},
		"presence": {perch.RoomConfig{PresenceOf: &[]string{"moderator"}}, func(c perch.RoomConfig) bool {
			return slices.Equal(*c.PresenceOf, []string{"moderator"})
		}},
	} {
		owner.must(owner.SetRoomConfig(ctx, room, tt.change))
		got, err := owner.RoomConfig(ctx, room)
		owner.must(err)
		if !tt.holds(got) || *got.Name != "Room & Board" || !*got.Persistent {
			t.Errorf("%s: got %+v, want the change and the rest as it was", name, got)
		}
	}
	if _, err := guest.RoomConfig(ctx, room); perch.KindOf(err) != perch.KindForbidden {
		t.Errorf("RoomConfig() of a guest = %v, want %s", err, perch.KindForbidden)
	}
	photo := []byte("\x89PNG\r\n\x1a\n0000")
	owner.must(owner.SetRoomPhoto(ctx, room, photo))
	if card, err := guest.VCard(ctx, room); err != nil || card.Photo == nil || string(card.Photo.Data) != string(photo) {
		t.Errorf("VCard() of the room = %+v, %v; want the photo", card, err)
	}
	if err := guest.SetRoomPhoto(ctx, room, nil); perch.KindOf(err) != perch.KindForbidden {
		t.Errorf("SetRoomPhoto() of a guest = %v, want %s", err, perch.KindForbidden)
	}
}

// affiliateReal gives an account each affiliation, and finds it in the list of it and in no other. One
// more is banned: ejabberd 23.01 lets in one whose affiliation was another before (#3330).
func affiliateReal(t *testing.T, owner, guest, banned *realUser, room perch.JID) {
	ctx := context.Background()
	newRoom(owner, room)
	all := []perch.Affiliation{perch.AffiliationOwner, perch.AffiliationAdmin, perch.AffiliationMember, perch.AffiliationOutcast}
	for _, a := range append([]perch.Affiliation{perch.AffiliationNone}, all...) {
		owner.must(owner.SetAffiliation(ctx, room, perch.Member{JID: guest.jid, Affiliation: a, Reason: "because"}))
		for _, list := range all {
			got, err := owner.RoomMembers(ctx, room, list)
			owner.must(err)
			has := slices.ContainsFunc(got.Items, func(m perch.Member) bool { return m.JID == guest.jid && m.Affiliation == list })
			if has != (list == a) {
				t.Errorf("the guest is %s: got %v in the list of %s, want %v", a, has, list, list == a)
			}
		}
	}
	banned.join(room, "Bo")
	owner.must(owner.SetAffiliation(ctx, room, perch.Member{JID: banned.jid, Affiliation: perch.AffiliationOutcast}))
	banned.inside(room, "Bo", "not-acceptable")
	banned.write("<presence to='" + string(room) + "/Bo'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
	banned.inside(room, "Bo", "not-acceptable")
	if err := banned.SetAffiliation(ctx, room, perch.Member{JID: banned.jid, Affiliation: perch.AffiliationOwner}); perch.KindOf(err) != perch.KindForbidden {
		t.Errorf("SetAffiliation() of an outcast = %v, want %s", err, perch.KindForbidden)
	}
	if nick, err := guest.ReservedNick(ctx, room); nick != "" || err != nil {
		t.Errorf("ReservedNick() = %q, %v; want none", nick, err)
	}
}

// kickReal takes the voice of an occupant, gives it back, and kicks him.
func kickReal(t *testing.T, owner, guest *realUser, room perch.JID) {
	ctx := context.Background()
	newRoom(owner, room)
	guest.join(room, "Bo")
	if err := guest.SetRole(ctx, room, "Al", perch.RoleNone, ""); perch.KindOf(err) != perch.KindForbidden {
		t.Errorf("SetRole() of a guest = %v, want %s", err, perch.KindForbidden)
	}
	for _, role := range []perch.Role{perch.RoleVisitor, perch.RoleParticipant, perch.RoleModerator, perch.RoleNone} {
		owner.must(owner.SetRole(ctx, room, "Bo", role, "because"))
	}
	guest.inside(room, "Bo", "not-acceptable")
	if err := owner.SetRole(ctx, room, "Nobody", perch.RoleNone, ""); perch.KindOf(err) != perch.KindItemNotFound {
		t.Errorf("SetRole() of nobody = %v, want %s", err, perch.KindItemNotFound)
	}
}

// moderateReal retracts what a guest has said, where the server can.
func moderateReal(t *testing.T, owner, guest *realUser, room perch.JID, can bool) {
	ctx := context.Background()
	newRoom(owner, room)
	guest.join(room, "Bo")
	guest.write("<message type='groupchat' id='m1' to='" + string(room) + "'><body>buy this</body></message>")
	id := owner.awaitMessage(func(m *perch.MessageIn) bool { return m.Body == "buy this" }).RoomStanzaID
	err := owner.ModerateMessage(ctx, room, id, "spam")
	if !can {
		if perch.KindOf(err) != perch.KindFeatureUnsupported {
			t.Errorf("ModerateMessage() = %v, want %s", err, perch.KindFeatureUnsupported)
		}
		return
	}
	owner.must(err)
	m := guest.awaitMessage(func(m *perch.MessageIn) bool { return m.Relation != nil })
	if m.Relation.Target != id || !m.Relation.Moderated || m.Relation.Reason != "spam" {
		t.Errorf("got %+v, want the retraction of %s by a moderator", m.Relation, id)
	}
	if err := guest.ModerateMessage(ctx, room, id, ""); perch.KindOf(err) != perch.KindForbidden {
		t.Errorf("ModerateMessage() of a guest = %v, want %s", err, perch.KindForbidden)
	}
}

// directoryReal reads the rooms of a service in pages of two.
func directoryReal(t *testing.T, owner *realUser, service perch.JID, counts bool) {
	ctx := context.Background()
	var want, got []perch.JID
	for _, local := range []string{"dir-a", "dir-b", "dir-c", "dir-d", "dir-e"} {
		room := perch.JID(local + "@" + string(service))
		owner.join(room, "Al")
		owner.must(owner.SetRoomConfig(ctx, room, perch.RoomConfig{Name: new("Room " + local), Public: new(true), Persistent: new(true)}))
		want = append(want, room)
	}
	after, pages := "", 0
	for more := true; more && pages < 20; pages++ {
		page, err := owner.Directory(ctx, service, 2, after)
		owner.must(err)
		if len(page.Items) > 2 {
			t.Errorf("got a page of %d rooms, want at most 2", len(page.Items))
		}
		for _, r := range page.Items {
			if local := r.JID.Local(); strings.HasPrefix(local, "dir-") {
				got = append(got, r.JID)
				if r.Name != "Room "+local || (r.Occupants != nil) != counts || counts && *r.Occupants != 1 {
					t.Errorf("got %+v, want its name, and 1 occupant if the server counts: %v", r, counts)
				}
			}
		}
		if more = page.Next != nil; more {
			after = *page.Next
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got %q in %d pages, want %q", got, pages, want)
	}
}

// destroyReal ends a room, which only its owner may.
func destroyReal(t *testing.T, owner, guest *realUser, room perch.JID) {
	ctx := context.Background()
	newRoom(owner, room)
	guest.join(room, "Bo")
	if err := guest.DestroyRoom(ctx, room, "", ""); perch.KindOf(err) != perch.KindForbidden {
		t.Errorf("DestroyRoom() of a guest = %v, want %s", err, perch.KindForbidden)
	}
	owner.must(owner.DestroyRoom(ctx, room, "over", "new-"+room))
	page, err := owner.Directory(ctx, perch.JID(room.Domain()), 100, "")
	owner.must(err)
	if len(page.Items) == 0 || slices.ContainsFunc(page.Items, func(r perch.DirectoryRoom) bool { return r.JID == room }) {
		t.Errorf("Directory() = %+v, want other rooms, and not %s", page.Items, room)
	}
}
