package webhook

import (
	"strings"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/jsonappend"
	"github.com/perch-im/perch/sessions"
)

// The types of a body.
const (
	typeEvents = "events"
	typeTest   = "test"
)

// bodyOf encodes what a delivery brings. Everything in it is of the delivery, so that it is the same in every
// attempt; only a test, which has no second one, has the time at which it is sent.
func bodyOf(d *sessions.Delivery, now time.Time) []byte {
	typ, at := typeEvents, d.Reader.Created
	if n := len(d.Events); n > 0 {
		at = d.Events[n-1].Time
	}
	if d.Test {
		typ, at = typeTest, perch.At(now)
	}
	size := 512
	for _, e := range d.Events {
		size += len(e.Wire) + 1
	}
	b := jsonappend.String(append(make([]byte, 0, size), `{"type":`...), typ)
	b = at.AppendJSON(append(b, `,"timestamp":`...))
	b = jsonappend.String(append(b, `,"data":{"webhook":`...), d.Reader.ID)
	b = jsonappend.String(append(b, `,"account":`...), d.Account)
	b = append(b, `,"events":[`...)
	for i, e := range d.Events {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEvent(b, e, d)
	}
	b = appendOptional(append(b, `],"cursor":`...), d.Cursor.String())
	b = appendOptional(append(b, `,"reset":`...), d.Reset)
	return append(b, "}}"...)
}

// appendOptional appends a string, or null where there is none.
func appendOptional(b []byte, text string) []byte {
	if text == "" {
		return append(b, "null"...)
	}
	return jsonappend.String(b, text)
}

// appendEvent appends an event as the streams have it, or what names it.
func appendEvent(b []byte, e *perch.Event, d *sessions.Delivery) []byte {
	if d.Reader.Spec.Include != perch.IncludeIDs {
		return append(b, e.Wire...)
	}
	b = jsonappend.String(append(b, `{"id":`...), e.Position.String())
	b = jsonappend.String(append(b, `,"type":`...), e.Type)
	b = e.Time.AppendJSON(append(b, `,"time":`...))
	return appendIDs(append(b, `,"data":`...), idsOf(e, d.Account))
}

// ids are of the data of an event what names a message and its conversation, under the names that they have
// there. Nothing that somebody has written is in it.
type ids struct {
	ID           string    `json:"id"`
	Ref          string    `json:"ref"`
	Conversation perch.JID `json:"conversation"`
}

func idsOf(e *perch.Event, own perch.JID) (x ids) {
	if strings.HasPrefix(string(e.Type), "message.") && e.Decode(&x) != nil {
		x = ids{}
	}
	x.Conversation = sessions.ConversationOf(e, own)
	return x
}

func appendIDs(b []byte, x ids) []byte {
	b = append(b, '{')
	for _, f := range []struct{ name, value string }{{"id", x.ID}, {"ref", x.Ref}, {"conversation", string(x.Conversation)}} {
		if f.value == "" {
			continue
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = jsonappend.String(append(jsonappend.String(b, f.name), ':'), f.value)
	}
	return append(b, "}}"...)
}
