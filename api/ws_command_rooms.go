package api

import (
	"context"
	"net/http"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// The commands about rooms are those that a client wants in order with its messages; all else is REST.

// roomData is the part of a command that names a room.
type roomData struct {
	JID string `json:"jid" need:"yes"`
}

func (d *roomData) room(s *sessions.Session) (perch.JID, error) {
	if d.JID == "" {
		return "", perch.Invalid("/jid", "is needed")
	}
	return roomOf(s, "/jid", d.JID)
}

// roomJoinData is the data of room.join.
type roomJoinData struct {
	roomData
	roomJoinRequest
}

// roomJoin begins a join: room.state says what becomes of it. A socket waits for no room.
func (s *socket) roomJoin(ctx context.Context, c command) (commandResult, error) {
	var req roomJoinData
	if err := decodeData(c, &req); err != nil {
		return commandResult{}, err
	}
	jid, err := req.room(s.sess)
	if err == nil {
		err = s.mayConverse(jid)
	}
	if err != nil {
		return commandResult{}, err
	}
	join, err := req.roomJoinRequest.checked()
	if err != nil {
		return commandResult{}, err
	}
	if err := s.online(); err != nil {
		return commandResult{}, err
	}
	v, _, err := sessions.RoomsOf(s.sess).JoinRoom(ctx, jid, join)
	if err != nil {
		return commandResult{}, err
	}
	status := http.StatusAccepted
	if v.State == perch.RoomStateJoined {
		status = http.StatusOK
	}
	return commandResult{status: status, data: v}, nil
}

// roomLeaveData is the data of room.leave.
type roomLeaveData struct {
	roomData
	Forget bool `json:"forget"`
}

func (s *socket) roomLeave(ctx context.Context, c command) (commandResult, error) {
	var req roomLeaveData
	if err := decodeData(c, &req); err != nil {
		return commandResult{}, err
	}
	jid, err := req.room(s.sess)
	if err == nil {
		err = s.mayConverse(jid)
	}
	if err != nil {
		return commandResult{}, err
	}
	if err := s.online(); err != nil {
		return commandResult{}, err
	}
	return commandResult{status: http.StatusNoContent}, sessions.RoomsOf(s.sess).LeaveRoom(ctx, jid, req.Forget)
}

// roomSubjectData is the data of room.subject.
type roomSubjectData struct {
	roomData
	roomSubjectRequest
}

func (s *socket) roomSubject(ctx context.Context, c command) (commandResult, error) {
	var req roomSubjectData
	if err := decodeData(c, &req); err != nil {
		return commandResult{}, err
	}
	jid, err := req.room(s.sess)
	if err == nil {
		err = s.mayConverse(jid)
	}
	if err != nil {
		return commandResult{}, err
	}
	subject, err := req.roomSubjectRequest.checked()
	if err != nil {
		return commandResult{}, err
	}
	if err := s.online(); err != nil {
		return commandResult{}, err
	}
	if err := sessions.RoomsOf(s.sess).SetRoomSubject(ctx, jid, subject); err != nil {
		return commandResult{}, err
	}
	return commandResult{status: http.StatusAccepted, data: roomSubjectAnswer{jid, subject}}, nil
}
