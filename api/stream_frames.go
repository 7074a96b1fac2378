package api

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/perch-im/perch"
)

// protocolVersion is hello.protocol; it changes when the frames change in a way that breaks
// clients.
const protocolVersion = 1

// helloData is the data of hello, the first frame of every stream.
type helloData struct {
	Protocol     int               `json:"protocol"`
	ConnectionID string            `json:"connection_id"`
	Server       helloServer       `json:"server"`
	HeartbeatMS  int64             `json:"heartbeat_ms"`
	Resumed      bool              `json:"resumed"`
	ResetReason  *string           `json:"reset_reason"` // null when resumed
	Tip          string            `json:"tip"`
	Session      perch.SessionInfo `json:"session"`
	Limits       helloLimits       `json:"limits"`
	Retention    helloRetention    `json:"retention"`
	Features     []string          `json:"features"`
}

// gatewayFeatures are what this gateway has beyond the first version of its API: what a client may
// name in types, and ask for. Whether the upstream of a session has it too is in session.features.
var gatewayFeatures = []string{"blocking", "conversations", "message-edit", "message-react", "message-retract", "rooms", "uploads"}

// features are gatewayFeatures, and what the operator lets clients do: stanzas is to write them.
func (a *API) features() []string {
	list := slices.Clip(gatewayFeatures)
	if a.o.RawStanzas {
		list = append(list, "stanzas")
	}
	if a.o.PushKey != nil {
		list = append(list, "push")
	}
	if a.o.Webhooks {
		list = append(list, "webhooks")
	}
	return list
}

type helloServer struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type helloLimits struct {
	FrameBytes        int64 `json:"frame_bytes"`
	CommandsPerMinute int   `json:"commands_per_min"`
	QueueFrames       int   `json:"queue_frames"`
	QueueBytes        int   `json:"queue_bytes"`
	Streams           int   `json:"streams"`
}

// helloRetention is how far back a cursor can be resumed; the bound that is reached first counts.
type helloRetention struct {
	Events  int   `json:"events"`
	Bytes   int   `json:"bytes"`
	Seconds int64 `json:"seconds"`
}

// tipData is the data of heartbeat.
type tipData struct {
	Tip string `json:"tip"`
}

// reconnectData is the data of reconnect: connect again after so many milliseconds.
type reconnectData struct {
	AfterMS int64  `json:"after_ms"`
	Reason  string `json:"reason"`
}

func (st *stream) hello() *perch.Event {
	o, sub := st.api.o, st.sub
	data := helloData{
		Protocol: protocolVersion, ConnectionID: st.id, Server: helloServer{"perch", o.Version},
		HeartbeatMS: o.Heartbeat.Milliseconds(), Resumed: sub.Resumed, Tip: sub.Tip.String(), Session: *sub.Session,
		Limits: helloLimits{
			FrameBytes: o.FrameBytes, CommandsPerMinute: o.CommandsPerMinute,
			QueueFrames: o.QueueFrames, QueueBytes: o.QueueBytes, Streams: st.api.settings().StreamsPerToken,
		},
		Retention: helloRetention{Events: o.Retention.Events, Bytes: o.Retention.Bytes, Seconds: int64(o.Retention.Age.Seconds())},
		Features:  st.api.features(),
	}
	if !sub.Resumed {
		data.ResetReason = &sub.ResetReason
	}
	return control(perch.EventHello, data)
}

// control makes a frame of one connection; it is in no log and has no id.
func control(typ perch.EventType, data any) *perch.Event {
	return perch.NewEvent(perch.Position{}, typ, perch.At(time.Now()), data)
}

func heartbeat(tip perch.Position) *perch.Event {
	return control(perch.EventHeartbeat, tipData{tip.String()})
}

func reconnect(after time.Duration) *perch.Event {
	return control(perch.EventReconnect, reconnectData{after.Milliseconds(), "draining"})
}

// replyFrame answers a command. Ref is its id.
type replyFrame struct {
	Type   perch.EventType `json:"type"`
	Ref    string          `json:"ref,omitempty"`
	Time   perch.Time      `json:"time"`
	Status int             `json:"status"`
	Data   any             `json:"data"`
}

// errorFrame refuses a command, or has the reason why the stream ends: then Close has the code
// that a WebSocket is closed with, so that clients of every encoding follow one rule.
type errorFrame struct {
	Type  perch.EventType `json:"type"`
	Ref   string          `json:"ref,omitempty"`
	Time  perch.Time      `json:"time"`
	Error Problem         `json:"error"`
	Close *closeInfo      `json:"close,omitempty"`
}

type closeInfo struct {
	Code   int    `json:"code"`
	Reason string `json:"reason"`
}

// reply answers a command with its result.
func reply(ref string, status int, data any) *perch.Event {
	if data == nil {
		data = struct{}{}
	}
	return frame(perch.EventReply, replyFrame{perch.EventReply, ref, perch.At(time.Now()), status, data})
}

// failure answers a command, or a frame that is none, with a problem.
func failure(ref string, p Problem) *perch.Event {
	return frame(perch.EventError, errorFrame{Type: perch.EventError, Ref: ref, Time: perch.At(time.Now()), Error: p})
}

// closingError is the last frame of a stream that ends with an error.
func closingError(p Problem, e ending) *perch.Event {
	return frame(perch.EventError, errorFrame{Type: perch.EventError, Time: perch.At(time.Now()), Error: p,
		Close: &closeInfo{int(e.code), e.reason()}})
}

// frame encodes what has its fields beside the type, not under data.
func frame(typ perch.EventType, v any) *perch.Event {
	wire, err := json.Marshal(v)
	if err != nil {
		panic("api: frame " + string(typ) + " cannot be encoded: " + err.Error()) // only a mistake in a type of this package could cause it
	}
	return &perch.Event{Type: typ, Wire: wire}
}
