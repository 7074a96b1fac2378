package webpush

import (
	"bytes"
	"context"
	"encoding/json"
	"sort"
	"unicode/utf8"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// The types of messages that stand for no event.
const (
	typeTest  = "test"  // the owner of the subscription has asked for it
	typeReset = "reset" // events were lost to the subscription, and there are none to say so with
)

// payload is the plain text of a message: the newest event of one conversation, in JSON.
type payload struct {
	Type         string    `json:"type"` // of that event
	Conversation perch.JID `json:"conversation,omitempty"`
	ID           string    `json:"id"`                // of that event in the log
	Count        int       `json:"count"`             // of the events that the message stands for, this one included
	Account      perch.JID `json:"account,omitempty"` // whose log it is
	Name         string    `json:"name,omitempty"`    // of the conversation
	From         string    `json:"from,omitempty"`    // nick of the one in a room who has written it
	Body         string    `json:"body,omitempty"`    // of a message, cut to fit
	Reset        string    `json:"reset,omitempty"`   // a Reset word: events before these are lost
	key          string    // what the topic is made of
	urgent       bool
}

// longestName cuts names, in bytes: most of the room is for the text.
const longestName = 128

// payloads are the messages that a delivery becomes, one for each conversation in the order of their newest
// events; of events that are about none, one for each type.
func payloads(ctx context.Context, d sessions.Delivery) []*payload {
	switch {
	case d.Test:
		return []*payload{{Type: typeTest, ID: d.ID, Account: d.Account, key: typeTest, urgent: true}}
	case len(d.Events) == 0 && d.Reset != "":
		return []*payload{{Type: typeReset, ID: d.Cursor.String(), Account: d.Account, key: typeReset, Reset: d.Reset}}
	}
	counts := map[string]int{}
	newest := map[string]*perch.Event{}
	var order []string
	for _, e := range d.Events {
		key := keyOfEvent(e, d.Account)
		counts[key]++
		newest[key] = e
	}
	for _, e := range d.Events {
		if key := keyOfEvent(e, d.Account); newest[key] == e {
			order = append(order, key)
		}
	}
	list := make([]*payload, len(order))
	for i, key := range order {
		list[i] = payloadOf(ctx, d, newest[key], counts[key])
		list[i].key = key
	}
	if len(list) > 0 {
		list[0].Reset = d.Reset
	}
	return list
}

// keyOfEvent is equal for events that become one message.
func keyOfEvent(e *perch.Event, own perch.JID) string {
	if jid := sessions.ConversationOf(e, own); jid != "" {
		return string(jid.Key())
	}
	return string(e.Type)
}

func payloadOf(ctx context.Context, d sessions.Delivery, e *perch.Event, count int) *payload {
	p := &payload{Type: string(e.Type), ID: e.Position.String(), Count: count, Account: d.Account, urgent: e.Type == perch.EventMessageReceived}
	p.Conversation = sessions.ConversationOf(e, d.Account)
	if d.Reader.Spec.Include == perch.IncludeIDs {
		return p
	}
	if d.Name != nil && p.Conversation != "" {
		p.Name = cut(d.Name(ctx, p.Conversation), longestName)
	}
	if e.Type == perch.EventMessageReceived || e.Type == perch.EventMessageSent || e.Type == perch.EventMessageEdited {
		var m perch.Message
		if e.Decode(&m) == nil {
			p.Body = m.Body
			if m.Room != nil {
				p.From = cut(m.Room.Nick, longestName)
			}
		}
	}
	return p
}

// idsOnly is p without what people have written.
func (p payload) idsOnly() *payload {
	p.Name, p.From, p.Body = "", "", ""
	return &p
}

// encode writes p within MaxPlain bytes. What does not fit is cut: the text, then the names, and of addresses
// that are longer than any in use, those.
func (p payload) encode() []byte {
	text := cut(p.Body, MaxPlain)
	p.Body = ""
	for _, drop := range []func(){func() { p.Name, p.From = "", "" }, func() { p.Account = "" }, func() { p.Conversation = "" }} {
		if p.fits() {
			break
		}
		drop()
	}
	// JSON may write a character longer than it is, so the length is looked for.
	tooLong := sort.Search(len(text)+1, func(n int) bool {
		p.Body = cut(text, n)
		return !p.fits()
	})
	p.Body = cut(text, tooLong-1)
	return p.json()
}

func (p *payload) fits() bool { return len(p.json()) <= MaxPlain }

// json does not write <, > and & longer than they are: no page has this in its markup.
func (p *payload) json() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(p) != nil {
		return nil // texts and numbers always encode
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

const ellipsis = "…"

// cut shortens a text to so many bytes, with an ellipsis, between two characters.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	n := most - len(ellipsis)
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	if n <= 0 {
		return ""
	}
	return text[:n] + ellipsis
}
