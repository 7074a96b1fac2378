package sessions

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/perch-im/perch"
)

// joinStep is how far a join is.
type joinStep uint8

const (
	joinQueued joinStep = iota
	joinAsking
	joinSent
	joinSetup
	joinReading
)

// roomJoin is a join, or a resync, under way.
type roomJoin struct {
	step      joinStep
	link      *link  // of all that is asked
	placed    bool   // it has a place among those of its service
	resync    bool   // the account is in the room, as far as it is known
	doubtful  bool   // and may have been out of it for a while
	id        string // of the presence
	nick      string
	conflicts int
	self      bool // the room has said who the account is in it
	created   bool
	gap       bool // some of what was missed could not be read
	deadline  *time.Timer
	roomBuffer
}

// begin joins a room, or has it say again all that it says to one who joins.
func (x *roomList) begin(r *room, j *roomJoin, why roomWhy) {
	x.abandon(r)
	stop(r.retry)
	stop(r.leaving)
	r.retry, r.leaving, r.retryAt = nil, nil, 0
	if !x.host.record().Own.Available {
		x.become(r, perch.RoomStateLeft, roomWhy{reason: perch.RoomReasonUnavailable})
		return
	}
	r.join = j
	x.become(r, perch.RoomStateJoining, why)
	s := x.serviceOf(r)
	s.queue = append(s.queue, r)
	x.advance(s)
}

// start asks a room what it is. What it was before does when it does not say.
func (x *roomList) start(r *room) {
	j := r.join
	j.step, j.link = joinAsking, x.host.stream()
	conn, ok := j.link.conn.(RoomConn)
	if !ok {
		x.refuse(r, perch.RoomStateFailed, roomWhy{reason: perch.RoomReasonRefused, text: "this upstream has no rooms"})
		return
	}
	jid := r.jid()
	x.host.background(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, roomInfoTime)
		defer cancel()
		info, err := conn.RoomInfo(ctx, jid)
		x.answer(r, j, func() { x.asked(r, j, &info, err) })
	})
}

// answer lets the owner take an answer, unless the join that asked is over.
func (x *roomList) answer(r *room, j *roomJoin, f func()) {
	x.host.post(func() {
		if r.join == j && x.host.stream() == j.link {
			x.host.guarded(f)
		}
	})
}

// asked takes what a room says of itself, and joins it.
func (x *roomList) asked(r *room, j *roomJoin, info *perch.RoomInfo, err error) {
	switch {
	case err == nil:
		x.learn(r, info)
	case perch.ConditionOf(err) == "remote-server-not-found", perch.ConditionOf(err) == "remote-server-timeout":
		x.unreachable(r, perch.ConditionOf(err), err.Error())
		return
	case perch.KindOf(err) == perch.KindItemNotFound && !r.wish.mayCreate:
		x.refuse(r, perch.RoomStateFailed, roomWhy{reason: perch.RoomReasonNotFound})
		return
	case perch.KindOf(err) == perch.KindItemNotFound:
		r.row.Features = perch.RoomFeatures{}
	}
	j.nick = cmp.Or(j.nick, x.nickFor(r))
	x.sendJoin(r, j)
}

// nickFor is the nick that a join asks for.
func (x *roomList) nickFor(r *room) string {
	if r.join != nil && r.join.resync && r.row.Nick != "" {
		return r.row.Nick
	}
	bookmarked := ""
	if b := r.row.Bookmark; b != nil {
		bookmarked = b.Nick
	}
	own := x.host.ownJID()
	return cmp.Or(r.row.Wanted.Nick, bookmarked, own.Local(), own.Domain())
}

// sendJoin writes the presence that joins a room. Where the room has an archive, that has what was
// missed, and exactly so; else its history is asked for, with some of what is known already.
func (x *roomList) sendJoin(r *room, j *roomJoin) {
	j.step, j.id, j.self = joinSent, x.newID(), false
	out := &perch.RoomJoinOut{Room: r.jid(), Nick: j.nick, ID: j.id, Presence: x.host.record().Own}
	out.Password = x.passwordOf(r)
	x.occupantsBegin(r, j.resync)
	if !r.row.Features.Archive && r.row.JoinedAt != 0 {
		out.Since = max(1, cmp.Or(r.row.LastSeenAt, r.row.JoinedAt)-historySlack)
	}
	stop(j.deadline)
	j.deadline = x.host.after(joinTime, func() {
		if r.join == j && j.step == joinSent {
			x.unreachable(r, "remote-server-timeout", "")
		}
	})
	_ = x.host.Send(out) // of a connection that has ended: that says so itself
}

// unreachable ends a join of a room that does not answer, or whose service does not. One that was in
// use is joined again later.
func (x *roomList) unreachable(r *room, condition, text string) {
	if condition == "remote-server-not-found" && r.row.JoinedAt == 0 {
		x.refuse(r, perch.RoomStateFailed, roomWhy{reason: perch.RoomReasonNotFound, text: text})
		return
	}
	x.again(r, roomWhy{reason: perch.RoomReasonTimeout, text: text})
}

// again joins a room again after a while, the longer the oftener that did not work.
func (x *roomList) again(r *room, why roomWhy) {
	if !r.wanted() {
		x.refuse(r, perch.RoomStateFailed, why)
		return
	}
	if r.row.State == perch.RoomStateJoined && x.host.now()-r.row.JoinedAt > rejoinLasted {
		r.failed = 0
	}
	x.abandon(r)
	wait := min(rejoinMin<<min(r.failed, 16), rejoinMax)
	r.failed++
	stop(r.retry)
	r.retryAt = x.host.now() + perch.Time(wait.Milliseconds())
	r.retry = x.host.after(wait, func() {
		if r.retryAt != 0 && r.join == nil && x.host.Online() && x.find(r.jid()) == r {
			x.begin(r, &roomJoin{}, why)
		}
	})
	x.become(r, perch.RoomStateJoining, why)
}

// refuse ends the presence in a room, or the attempt at it, for good: only its client joins it again.
// What has come and waits is logged, after the gap before it.
func (x *roomList) refuse(r *room, st perch.RoomState, why roomWhy) {
	x.releaseBehindGap(r)
	x.endJoin(r)
	stop(r.retry)
	stop(r.leaving)
	r.retry, r.leaving, r.retryAt, r.failed, r.wish = nil, nil, 0, 0, roomWish{}
	x.become(r, st, why)
	x.outbox.roomIsOver(r.jid())
	if r.row.Forget {
		x.remove(r)
	}
}

// endJoin ends a join. What it holds back is for the caller.
func (x *roomList) endJoin(r *room) {
	j := r.join
	if j == nil {
		return
	}
	stop(j.deadline)
	r.join = nil
	s := x.serviceOf(r)
	s.leave(r, j)
	x.advance(s)
}

// xmppErrorOf is what the upstream said in an error, or nil.
func xmppErrorOf(err error) *perch.XMPPError {
	if e, ok := errors.AsType[*perch.Error](err); ok {
		return e.XMPP
	}
	return nil
}
