package api

import (
	"net/http"
	"unicode/utf8"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// Bounds of what a client says of a room.
const (
	maxNickBytes     = 1023 // of a resource (RFC 7622, 3.4)
	maxRoomNameChars = 255
	maxSubjectChars  = 1024
	maxRoomReason    = 255 // characters of why a user is invited, kicked, banned
)

// roomOf reads the address of a room: a bare JID with a local part.
func roomOf(s *sessions.Session, pointer, text string) (perch.JID, error) {
	jid, err := accountOf(s, pointer, text)
	if err == nil && jid.Local() == "" {
		err = jidError(pointer, perch.Errorf(perch.KindJIDMalformed, "must be the address of a room, such as room@rooms.example.net"))
	}
	if err != nil {
		return "", err
	}
	return jid, nil
}

// pathRoom reads the {jid} of the path: the bare JID of a room.
func pathRoom(r *http.Request) (perch.JID, error) { return pathAddressBy(r, roomOf) }

// roomRequest is jidRequest for a room.
func roomRequest[T any](r *http.Request, body *T) (perch.JID, error) {
	return bodyRequest(r, pathRoom, body)
}

// pathNick reads the {nick} of the path: that of an occupant, which the room has checked.
func pathNick(r *http.Request) (string, error) {
	nick, err := pathText(r, "nick")
	if err == nil && !writable(nick) {
		err = perch.Invalid("{nick}", "must be 1 to %d octets of UTF-8 without control characters", maxNickBytes)
	}
	return nick, err
}

// checkNick checks the nick that the account wants; "" is none. Resources are checked as those of JIDs.
func checkNick(pointer, nick string) error {
	if nick == "" {
		return nil
	}
	if !writable(nick) || utf8.RuneCountInString(nick) > maxNickBytes {
		return perch.Invalid(pointer, "must have at most %d octets", maxNickBytes)
	}
	if _, err := perch.ParseJID("room@example.org/" + nick); err != nil {
		return perch.Invalid(pointer, "cannot be the nick of an occupant (RFC 7622, 3.4)")
	}
	return nil
}

// checkRoomReason checks why a user is invited, kicked or banned, or a room destroyed.
func checkRoomReason(pointer, reason string) error { return oneLine(pointer, reason, maxRoomReason) }
