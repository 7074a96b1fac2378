package api

import (
	"errors"

	"github.com/coder/websocket"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// Close codes of the event stream. A client that does not know a code obeys its range:
// 4000-4099 stop, 4100-4199 back off and resume, 4200-4299 reconnect now and resume.
const (
	closeProtocol     websocket.StatusCode = 4000
	closeUnauthorized websocket.StatusCode = 4001
	closeForbidden    websocket.StatusCode = 4003
	closeSessionGone  websocket.StatusCode = 4004
	closeErrors       websocket.StatusCode = 4008
	closeConnections  websocket.StatusCode = 4009
	closeInternal     websocket.StatusCode = 4100
	closeHeartbeat    websocket.StatusCode = 4102
	closeSlow         websocket.StatusCode = 4103
	closeDraining     websocket.StatusCode = 4200
	closeMoved        websocket.StatusCode = 4201
)

// closeReasons are the texts beside the codes, for people who read a network log.
var closeReasons = map[websocket.StatusCode]string{
	closeProtocol:     "protocol error",
	closeUnauthorized: "unauthorized",
	closeForbidden:    "forbidden",
	closeSessionGone:  "session gone",
	closeErrors:       "too many errors",
	closeConnections:  "too many connections",
	closeInternal:     "internal error",
	closeHeartbeat:    "heartbeat not answered",
	closeSlow:         "slow reader, resume from your cursor",
	closeDraining:     "draining, reconnect and resume",
	closeMoved:        "session moved, reconnect and resume",

	websocket.StatusProtocolError:           "violates RFC 6455",
	websocket.StatusUnsupportedData:         "binary messages are not supported",
	websocket.StatusInvalidFramePayloadData: "text is not UTF-8",
}

// ending is why a stream ends: its close code, 0 when the client has left. With err, an error
// frame with that problem comes before the close.
type ending struct {
	code websocket.StatusCode
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
	case perch.KindInsufficientScope:
		return ending{closeForbidden, err}
	case perch.KindValidation, perch.KindMalformedJSON:
		return ending{closeProtocol, err}
	case perch.KindDraining:
		return ending{closeDraining, nil}
	}
	return ending{closeInternal, err}
}
