package api

import (
	"errors"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/wsframe"
	"github.com/perch-im/perch/sessions"
)

// Close codes of the event stream. A client that does not know a code obeys its range:
// 4000-4099 stop, 4100-4199 back off and resume, 4200-4299 reconnect now and resume.
const (
	closeProtocol     wsframe.Code = 4000
	closeUnauthorized wsframe.Code = 4001
	closeOrigin       wsframe.Code = 4003
	closeSessionGone  wsframe.Code = 4004
	closeErrors       wsframe.Code = 4008
	closeConnections  wsframe.Code = 4009
	closeInternal     wsframe.Code = 4100
	closeHeartbeat    wsframe.Code = 4102
	closeSlow         wsframe.Code = 4103
	closeDraining     wsframe.Code = 4200
	closeMoved        wsframe.Code = 4201
)

// closeReasons are the texts beside the codes, for people who read a network log.
var closeReasons = map[wsframe.Code]string{
	closeProtocol:     "protocol error",
	closeUnauthorized: "unauthorized",
	closeOrigin:       "origin not allowed",
	closeSessionGone:  "session gone",
	closeErrors:       "too many errors",
	closeConnections:  "too many connections",
	closeInternal:     "internal error",
	closeHeartbeat:    "heartbeat not answered",
	closeSlow:         "slow reader, resume from your cursor",
	closeDraining:     "draining, reconnect and resume",
	closeMoved:        "session moved, reconnect and resume",

	wsframe.ProtocolError:   "violates RFC 6455",
	wsframe.UnsupportedData: "binary messages are not supported",
	wsframe.InvalidPayload:  "text is not UTF-8",
}

// ending is why a stream ends: its close code, 0 when the client has left. With err, an error
// frame with that problem comes before the close.
type ending struct {
	code wsframe.Code
	err  error
}

// clientGone is the ending of a stream whose client has left, and of a poll that is answered.
var clientGone = ending{}

func (e ending) reason() string { return closeReasons[e.code] }

// errSessionGone is the problem at the end of a stream; a request is refused with 401 instead.
var errSessionGone error = perch.Errorf(perch.KindNotFound, "the session has ended")

// endingOf is the one table from errors to close codes.
func endingOf(err error) ending {
	switch {
	case errors.Is(err, sessions.ErrSlow):
		return ending{closeSlow, err}
	case errors.Is(err, sessions.ErrMoved):
		return ending{closeMoved, nil}
	case errors.Is(err, sessions.ErrEnded):
		return ending{closeSessionGone, errSessionGone}
	}
	switch perch.KindOf(err) {
	case perch.KindUnauthorized:
		return ending{closeUnauthorized, err}
	case perch.KindValidation, perch.KindMalformedJSON:
		return ending{closeProtocol, err}
	case perch.KindDraining:
		return ending{closeDraining, nil}
	}
	return ending{closeInternal, err}
}
