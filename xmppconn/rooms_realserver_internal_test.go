package xmppconn

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/testkit"
)

func (r *realUser) send(out perch.Outbound) {
	r.t.Helper()
	if _, err := r.Send(out); err != nil {
		r.t.Fatalf("Send(%T): got error %v, want none", out, err)
	}
}

// awaitIn returns the next that fits of what arrives.
func awaitIn[T perch.Inbound](r *realUser, what string, fits func(T) bool) T {
	r.t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case in := <-r.in:
			if x, ok := in.(T); ok && fits(x) {
				return x
			}
		case <-late:
			r.t.Fatalf("%s: got no %s, want one", r.jid, what)
		}
	}
}

// tape joins a room and returns what comes up to the subject.
func (r *realUser) tape(j *perch.RoomJoinOut) (before []perch.Inbound) {
	r.t.Helper()
	r.send(j)
	late := time.After(20 * time.Second)
	for {
		select {
		case in := <-r.in:
			if s, ok := in.(*perch.RoomSubjectIn); ok && s.From.Bare() == j.Room {
				return append(before, in)
			}
			before = append(before, in)
		case <-late:
			r.t.Fatalf("%s: got %+v and no subject, want one", r.jid, before)
		}
	}
}

// TestRoomsOnRealServers talks in rooms of Prosody and ejabberd.
func TestRoomsOnRealServers(t *testing.T) {
	realServers(t, func(t *testing.T, s *testkit.Server, service perch.JID) {
		w := &realRoom{t: t, s: s, prosody: s.Name == "prosody", room: "talk@" + service,
			owner: newRealUser(t, s, "owner"), guest: newRealUser(t, s, "guest"), third: newRealUser(t, s, "third")}
		w.create()
		w.join()
		w.talk()
		w.archive()
		w.states()
		w.rename()
		w.invite()
		w.kick()
		w.history()
		w.leave()
		w.destroy()
	})
}

// realRoom is a room with two in it, and one who is not.
type realRoom struct {
	t                   *testing.T
	s                   *testkit.Server
	prosody             bool
	room                perch.JID
	owner, guest, third *realUser
}

func (w *realRoom) at(nick string) perch.JID { return w.room + "/" + perch.JID(nick) }

// create makes the room, which did not exist.
func (w *realRoom) create() {
	ctx := context.Background()
	if info, err := w.owner.RoomInfo(ctx, w.room); perch.KindOf(err) != perch.KindItemNotFound {
		w.t.Errorf("RoomInfo() of no room = %+v, %v; want %s", info, err, perch.KindItemNotFound)
	}
	if got, err := w.owner.SelfPing(ctx, w.room, "Al"); got != perch.SelfPingNoRoom || err != nil {
		w.t.Errorf("SelfPing() of no room = %d, %v; want %d", got, err, perch.SelfPingNoRoom)
	}
	tape := w.owner.tape(&perch.RoomJoinOut{Room: w.room, Nick: "Al", ID: "j1"})
	self, ok := lastOccupant(tape)
	if !ok || self.From != w.at("Al") || self.ID != "j1" || !self.Codes.Has(perch.CodeSelf) || !self.Codes.Has(perch.CodeCreated) ||
		self.Affiliation != perch.AffiliationOwner || self.Role != perch.RoleModerator || self.JID.Bare() != w.owner.jid {
		w.t.Errorf("got %+v, want the own presence in a new room", self)
	}
	if subject := tape[len(tape)-1].(*perch.RoomSubjectIn); subject.Text != "" || subject.Plain != nil {
		w.t.Errorf("got %+v, want no subject", subject)
	}
	w.owner.must(w.owner.SetRoomConfig(ctx, w.room, perch.RoomConfig{Name: new("Talk"), Persistent: new(true), Archive: new(true)}))
	info, err := w.guest.RoomInfo(ctx, w.room)
	want := perch.RoomFeatures{Archive: true, OccupantIDs: w.prosody, Moderation: w.prosody || testkit.EjabberdAtLeast("24"), Moderated: !w.prosody, Persistent: true, Public: info.Features.Public, Avatar: true}
	if diff := cmp.Diff(want, info.Features); diff != "" || err != nil || info.Name != "Talk" || info.Occupants != 1 {
		w.t.Errorf("RoomInfo() = %+v, error %v; want a room with one in it, -want +got:\n%s", info, err, diff)
	}
}

func lastOccupant(tape []perch.Inbound) (*perch.RoomPresenceIn, bool) {
	for _, in := range slices.Backward(tape) {
		if p, ok := in.(*perch.RoomPresenceIn); ok {
			return p, true
		}
	}
	return nil, false
}

// join: those who are in the room come before the own presence, and that before the subject.
func (w *realRoom) join() {
	if got, err := w.guest.SelfPing(context.Background(), w.room, "Bo"); got != perch.SelfPingOut || err != nil {
		w.t.Errorf("SelfPing() outside = %d, %v; want %d", got, err, perch.SelfPingOut)
	}
	w.third.send(&perch.RoomJoinOut{Room: w.room, Nick: "Al", ID: "taken"})
	if e := awaitIn(w.third, "error", func(*perch.RoomJoinError) bool { return true }); e.ID != "taken" || e.Error.Condition != "conflict" || e.From.Bare() != w.room {
		w.t.Errorf("got %+v, want a conflict", e)
	}
	var order []string
	for _, in := range w.guest.tape(&perch.RoomJoinOut{Room: w.room, Nick: "Bo", ID: "j2", Presence: perch.OwnPresence{Show: perch.ShowDND, Status: "busy"}}) {
		if p, ok := in.(*perch.RoomPresenceIn); ok {
			order = append(order, p.From.Resource())
		}
	}
	if diff := cmp.Diff([]string{"Al", "Bo"}, order); diff != "" {
		w.t.Errorf("order of a join, -want +got:\n%s", diff)
	}
	p := awaitIn(w.owner, "presence of the guest", func(p *perch.RoomPresenceIn) bool { return p.From == w.at("Bo") })
	if p.ID != "j2" || p.Show != perch.ShowDND || p.Status != "busy" || p.JID.Bare() != w.guest.jid || p.Codes.Has(perch.CodeSelf) || (p.OccupantID != "") != w.prosody {
		w.t.Errorf("got %+v, want the presence of the guest, with the real address for the owner", p)
	}
	if got, err := w.guest.SelfPing(context.Background(), w.room, "Bo"); got != perch.SelfPingIn || err != nil {
		w.t.Errorf("SelfPing() inside = %d, %v; want %d", got, err, perch.SelfPingIn)
	}
}

// talk sends messages and what is about them: they come to both, with the id of the room.
func (w *realRoom) talk() {
	say := func(m perch.MessageOut) *perch.MessageIn {
		m.To, m.Kind = w.room, perch.GroupchatMessage
		w.guest.send(&m)
		fits := func(in *perch.MessageIn) bool { return in.ID == m.ID }
		mine, got := awaitIn(w.guest, "reflection", fits), awaitIn(w.owner, "message", fits)
		if diff := cmp.Diff(mine, got); diff != "" {
			w.t.Errorf("what the owner got is another message than the guest's, -want (the guest's) +got:\n%s", diff)
		}
		if got.From != w.at("Bo") || got.To != w.room || got.Room == nil || got.Room.Nick != "Bo" || got.RoomStanzaID == "" || (got.Room.OccupantID != "") != w.prosody || got.History {
			w.t.Errorf("got %+v of %+v, want a message of the room with its id", got, got.Room)
		}
		return got
	}
	first := say(perch.MessageOut{ID: "m1", Body: "one"})
	if edit := say(perch.MessageOut{ID: "m2", Body: "two", Relation: &perch.Relation{Kind: perch.RelationEdit, Target: "m1"}}); edit.Relation == nil || edit.Relation.Target != "m1" {
		w.t.Errorf("got %+v, want an edit of m1", edit.Relation)
	}
	react := say(perch.MessageOut{ID: "m3", Relation: &perch.Relation{Kind: perch.RelationReactions, Target: first.RoomStanzaID, Emojis: []string{"👍"}}})
	if react.Relation == nil || react.Relation.Target != first.RoomStanzaID {
		w.t.Errorf("got %+v, want reactions to %s", react.Relation, first.RoomStanzaID)
	}
	say(perch.MessageOut{ID: "m4", Relation: &perch.Relation{Kind: perch.RelationRetraction, Target: first.RoomStanzaID}})
	say(perch.MessageOut{ID: "m5", Body: "three", Details: &perch.MessageDetails{ReplyTo: &perch.Reply{ID: first.RoomStanzaID, From: w.at("Bo"), Excerpt: "one"}}})
}

// archive reads what was said, after an id, and after one that is not there.
func (w *realRoom) archive() {
	ctx := context.Background()
	want := []string{"m1", "m2", "m3", "m4", "m5"}
	if !w.prosody && testkit.EjabberdAtLeast("24") {
		want = want[1:] // it takes what was retracted out of the archive
	}
	var all perch.ArchivePage
	testkit.Eventually(w.t, 10*time.Second, func() (err error) { // an archive may be written later
		if all, err = w.owner.RoomArchive(ctx, w.room, perch.ArchiveQuery{Limit: 50, Start: 1}); err == nil && len(all.Items) < len(want) {
			err = perch.Errorf(perch.KindInternal, "got %d messages, want %d", len(all.Items), len(want))
		}
		return err
	})
	var ids []string
	for _, it := range all.Items {
		if ids = append(ids, it.ID); it.RoomStanzaID == "" || it.StanzaID != "" || it.From != w.at("Bo") || it.To != w.room || it.Room == nil || it.Room.Nick != "Bo" ||
			(it.Room.OccupantID != "") != w.prosody || it.Sent || it.Time == 0 || it.Source != perch.SourceArchive {
			w.t.Errorf("got %+v of %+v, want a message of the guest with the id of the room", it, it.Room)
		}
	}
	if diff := cmp.Diff(want, ids); diff != "" || !all.Complete {
		w.t.Errorf("the archive, complete %v, -want +got:\n%s", all.Complete, diff)
	}
	page, err := w.owner.RoomArchive(ctx, w.room, perch.ArchiveQuery{Limit: 2, After: all.Items[len(want)-4].RoomStanzaID})
	if err != nil || len(page.Items) != 2 || page.Items[0].ID != "m3" || page.Last != page.Items[1].RoomStanzaID || page.Complete {
		w.t.Errorf("after the second: got %+v, %v; want m3 and m4", page, err)
	}
	newest, err := w.owner.RoomArchive(ctx, w.room, perch.ArchiveQuery{Limit: 1})
	if err != nil || len(newest.Items) != 1 || newest.Items[0].ID != "m5" {
		w.t.Errorf("the newest: got %+v, %v; want m5", newest, err)
	}
	lost, err := w.owner.RoomArchive(ctx, w.room, perch.ArchiveQuery{Limit: 10, After: "1111111111111111"})
	if w.prosody && perch.KindOf(err) != perch.KindItemNotFound || !w.prosody && (err != nil || len(lost.Items) == 0 || lost.Items[0].ID != want[0]) {
		w.t.Errorf("after an id that is not there: got %+v, %v; want %s of Prosody, and all of ejabberd", lost, err, perch.KindItemNotFound)
	}
}

// states are what is shown besides: chat states, subjects, notices and private messages.
func (w *realRoom) states() {
	w.guest.send(&perch.ChatStateOut{To: w.room, State: perch.StateComposing, Kind: perch.GroupchatMessage})
	if state := awaitIn(w.owner, "chat state", func(*perch.RoomChatStateIn) bool { return true }); state.From != w.at("Bo") || state.State != perch.StateComposing {
		w.t.Errorf("got %+v, want composing", state)
	}
	w.owner.send(&perch.RoomSubjectOut{Room: w.room, ID: "s1", Text: "topic"})
	if subject := awaitIn(w.guest, "subject", func(*perch.RoomSubjectIn) bool { return true }); subject.Text != "topic" || subject.From != w.at("Al") {
		w.t.Errorf("got %+v, want a topic of Al's", subject)
	}
	w.guest.send(&perch.MessageOut{ID: "p1", To: w.at("Al"), Kind: perch.ChatMessage, Body: "psst"})
	if m := awaitIn(w.owner, "private message", func(m *perch.MessageIn) bool { return m.Body == "psst" }); m.From != w.at("Bo") || m.Room == nil || m.Room.Nick != "Bo" || m.Kind != perch.ChatMessage {
		w.t.Errorf("got %+v of %+v, want a private message of Bo's", m, m.Room)
	}
	w.owner.must(w.owner.SetRoomConfig(context.Background(), w.room, perch.RoomConfig{Description: new("about")}))
	if n := awaitIn(w.guest, "notice", func(*perch.RoomNoticeIn) bool { return true }); !n.Codes.Has(perch.CodeConfigChanged) || n.From != w.room {
		w.t.Errorf("got %+v, want another configuration", n)
	}
	w.owner.must(w.owner.SetAffiliation(context.Background(), w.room, perch.Member{JID: w.third.jid, Affiliation: perch.AffiliationMember}))
	if n := awaitIn(w.owner, "notice", func(n *perch.RoomNoticeIn) bool { return n.Affiliation != "" }); n.Affiliation != perch.AffiliationMember || n.Account != w.third.jid {
		w.t.Errorf("got %+v, want a new member", n)
	}
}

// rename takes another nick, and one that is taken.
func (w *realRoom) rename() {
	ctx := context.Background()
	w.guest.send(&perch.RoomPresenceOut{Room: w.room, Nick: "Al"})
	if e := awaitIn(w.guest, "error", func(*perch.RoomJoinError) bool { return true }); e.ID == "" || e.Error.Condition != "conflict" {
		w.t.Errorf("got %+v, want a conflict", e)
	}
	w.guest.send(&perch.RoomPresenceOut{Room: w.room, Nick: "Bobby", ID: "n1"})
	for _, r := range []*realUser{w.guest, w.owner} {
		p := awaitIn(r, "change of nick", func(p *perch.RoomPresenceIn) bool { return p.Codes.Has(perch.CodeNickChanged) })
		if p.From != w.at("Bo") || p.NewNick != "Bobby" || p.Available || p.Codes.Has(perch.CodeSelf) != (r == w.guest) {
			w.t.Errorf("%s: got %+v, want that Bo is Bobby", r.jid, p)
		}
		awaitIn(r, "new nick", func(p *perch.RoomPresenceIn) bool { return p.From == w.at("Bobby") && p.Available })
	}
	for nick, want := range map[string]perch.SelfPing{"Bo": perch.SelfPingRenamed, "Bobby": perch.SelfPingIn} {
		if got, err := w.guest.SelfPing(ctx, w.room, nick); got != want || err != nil {
			w.t.Errorf("SelfPing() as %s = %d, %v; want %d", nick, got, err, want)
		}
	}
}

// invite invites one who declines, and directly.
func (w *realRoom) invite() {
	w.owner.send(&perch.RoomInviteOut{Room: w.room, To: w.third.jid, ID: "i1", Reason: "come"})
	if in := awaitIn(w.third, "invitation", func(*perch.RoomInvitedIn) bool { return true }); in.JID != w.room || in.Via != perch.ViaRoom || in.Reason != "come" {
		w.t.Errorf("got %+v, want an invitation of the room", in)
	}
	w.third.send(&perch.RoomDeclineOut{Room: w.room, To: w.owner.jid, ID: "d1", Reason: "no time"})
	if d := awaitIn(w.owner, "refusal", func(*perch.RoomDeclinedIn) bool { return true }); d.Room != w.room || d.By.Bare() != w.third.jid || d.Reason != "no time" {
		w.t.Errorf("got %+v, want a refusal", d)
	}
	w.owner.send(&perch.RoomInviteOut{Room: w.room, To: w.third.jid, ID: "i2", Reason: "please", Direct: true})
	if in := awaitIn(w.third, "invitation", func(*perch.RoomInvitedIn) bool { return true }); in.JID != w.room || in.Via != perch.ViaDirect || in.Reason != "please" || in.By != w.owner.jid {
		w.t.Errorf("got %+v, want an invitation of the owner", in)
	}
}

// kick puts the guest out.
func (w *realRoom) kick() {
	w.owner.must(w.owner.SetRole(context.Background(), w.room, "Bobby", perch.RoleNone, "rude"))
	for _, r := range []*realUser{w.guest, w.owner} {
		p := awaitIn(r, "kick", func(p *perch.RoomPresenceIn) bool { return p.Codes.Has(perch.CodeKicked) })
		if p.From != w.at("Bobby") || p.Available || p.Role != perch.RoleNone || p.Reason != "rude" || p.Actor != "Al" || p.Codes.Has(perch.CodeSelf) != (r == w.guest) {
			w.t.Errorf("%s: got %+v, want that Al has kicked Bobby", r.jid, p)
		}
	}
	if got, err := w.guest.SelfPing(context.Background(), w.room, "Bobby"); got != perch.SelfPingOut || err != nil {
		w.t.Errorf("SelfPing() after a kick = %d, %v; want %d", got, err, perch.SelfPingOut)
	}
}

// history is what the room sends to one who asks for what he has missed.
func (w *realRoom) history() {
	joined := func(j *perch.RoomJoinOut) (ids []string) {
		for _, in := range w.guest.tape(j) {
			if m, ok := in.(*perch.MessageIn); ok && m.Relation == nil {
				if ids = append(ids, m.ID); !m.History || m.Delay == nil || m.RoomStanzaID == "" {
					w.t.Errorf("got %+v, want it marked as history", m)
				}
			}
		}
		return ids
	}
	if got := joined(&perch.RoomJoinOut{Room: w.room, Nick: "Bo", ID: "h1", Since: 1}); !slices.Contains(got, "m5") {
		w.t.Errorf("since the beginning: got %q, want m5 among them", got)
	}
	if got := joined(&perch.RoomJoinOut{Room: w.room, Nick: "Bo", ID: "h2"}); got != nil {
		w.t.Errorf("without history: got %q, want none", got)
	}
}

func (w *realRoom) leave() {
	w.guest.send(&perch.RoomLeaveOut{Room: w.room, Nick: "Bo", ID: "l1", Status: "bye"})
	if p := awaitIn(w.guest, "own leave", func(p *perch.RoomPresenceIn) bool { return !p.Available }); p.From != w.at("Bo") || !p.Codes.Has(perch.CodeSelf) || p.Codes.Has(perch.CodeKicked) {
		w.t.Errorf("got %+v, want the own leave", p)
	}
	if p := awaitIn(w.owner, "leave", func(p *perch.RoomPresenceIn) bool { return !p.Available && p.Codes == 0 }); p.From != w.at("Bo") || p.Status != "bye" {
		w.t.Errorf("got %+v, want that Bo has left", p)
	}
}

// destroy ends the room with the guest in it.
func (w *realRoom) destroy() {
	w.guest.tape(&perch.RoomJoinOut{Room: w.room, Nick: "Bo", ID: "e1"})
	next := "new-" + w.room
	w.owner.must(w.owner.DestroyRoom(context.Background(), w.room, "over", next))
	p := awaitIn(w.guest, "end", func(p *perch.RoomPresenceIn) bool { return p.Destroyed != nil })
	if diff := cmp.Diff(&perch.RoomDestroyed{Successor: next, Reason: "over"}, p.Destroyed); diff != "" || p.Available || p.From != w.at("Bo") || p.Codes.Has(perch.CodeSelf) != w.prosody {
		w.t.Errorf("got %+v, want the end of the room, -want +got:\n%s", p, diff)
	}
	if !w.prosody {
		return // the name is free again
	}
	w.guest.send(&perch.RoomJoinOut{Room: w.room, Nick: "Bo", ID: "e2"})
	if e := awaitIn(w.guest, "error", func(*perch.RoomJoinError) bool { return true }); e.ID != "e2" || e.Error.Condition != "gone" || e.Successor != next {
		w.t.Errorf("got %+v, want that the room is gone to %s", e, next)
	}
}
