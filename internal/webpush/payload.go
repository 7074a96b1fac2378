package webpush

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
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
// events; of events that are about none, one for each type. Messages that the person does not want to be told of
// are left out.
func payloads(ctx context.Context, d sessions.Delivery) []*payload {
	switch {
	case d.Test:
		return []*payload{{Type: typeTest, ID: d.ID, Account: d.Account, key: typeTest, urgent: true}}
	case len(d.Events) == 0 && d.Reset != "":
		return []*payload{{Type: typeReset, ID: d.Cursor.String(), Account: d.Account, key: typeReset, Reset: d.Reset}}
	}
	groups := map[string]*group{}
	var order []*group // by their newest events
	for _, e := range d.Events {
		jid := sessions.ConversationOf(e, d.Account)
		key := cmp.Or(string(jid.Key()), string(e.Type))
		g := groups[key]
		if g == nil {
			g = &group{key: key, jid: jid}
			if d.About != nil && jid != "" {
				g.about = d.About(ctx, jid)
			}
			groups[key] = g
		}
		if g.wanted(e) {
			g.newest, g.jid = e, jid
			g.count++
			order = append(slices.DeleteFunc(order, func(x *group) bool { return x == g }), g)
		}
	}
	list := make([]*payload, len(order))
	for i, g := range order {
		list[i] = g.payload(d)
	}
	if len(list) > 0 {
		list[0].Reset = d.Reset
	}
	return list
}

// group is the events that become one message.
type group struct {
	key    string
	jid    perch.JID // as the newest event has it
	about  sessions.AboutConversation
	newest *perch.Event
	count  int
}

// wanted reports whether the person wants to be told of an event. Only of messages they may not.
func (g *group) wanted(e *perch.Event) bool {
	if e.Type != perch.EventMessageReceived || g.about.Notify == "" || g.about.Notify == perch.NotifyAll {
		return true
	}
	var m perch.Message
	return g.about.Notify == perch.NotifyMentions && g.about.Mentions != nil && e.Decode(&m) == nil && g.about.Mentions(&m)
}

func (g *group) payload(d sessions.Delivery) *payload {
	e := g.newest
	p := &payload{
		Type: string(e.Type), Conversation: g.jid, ID: e.Position.String(), Count: g.count, Account: d.Account,
		key: g.key, urgent: e.Type == perch.EventMessageReceived,
	}
	if d.Reader.Spec.Include == perch.IncludeIDs {
		return p
	}
	p.Name = cut(g.about.Name, longestName)
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
