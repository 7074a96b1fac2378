package perch

import (
	"encoding/json"
	"strconv"

	"github.com/perch-im/perch/internal/jsonappend"
)

// What is written for each stanza, or for each buddy of an answer, appends its JSON by hand. It is
// what encoding/json makes of the same value; a field that is added to one of these types is
// added here too, which TestAppendedJSON holds.

// appendData appends the data of an event. It names the types, and asks for no interface, so that b
// can be on the stack of the caller.
func appendData(b []byte, data any) ([]byte, error) {
	switch d := data.(type) {
	case *Message:
		return d.AppendJSON(b), nil
	case *Presence:
		return d.AppendJSON(b), nil
	case ChatStateChange:
		return d.AppendJSON(b), nil
	case StatusChange:
		return d.AppendJSON(b), nil
	case RawData:
		return append(b, d...), nil
	}
	text, err := json.Marshal(data)
	return append(b, text...), err
}

// RawData is data of an event that is encoded already, as encoding/json writes it.
type RawData []byte

// AppendJSON appends what MarshalJSON returns.
func (t Time) AppendJSON(b []byte) []byte {
	if t == 0 {
		return append(b, "null"...)
	}
	at := t.Time()
	year, month, day := at.Date()
	if year < 0 || year > 9999 {
		return at.AppendFormat(b, `"`+timeLayout+`"`)
	}
	hour, minute, second := at.Clock()
	b = append(digits(append(b, '"'), year, 4), '-')
	b = append(digits(b, int(month), 2), '-')
	b = append(digits(b, day, 2), 'T')
	b = append(digits(b, hour, 2), ':')
	b = append(digits(b, minute, 2), ':')
	b = append(digits(b, second, 2), '.')
	return append(digits(b, at.Nanosecond()/1e6, 3), 'Z', '"')
}

// digits appends the last n digits of v.
func digits(b []byte, v, n int) []byte {
	b = append(b, "0000"[:n]...)
	for i := len(b) - 1; v > 0 && n > 0; i, v, n = i-1, v/10, n-1 {
		b[i] = '0' + byte(v%10)
	}
	return b
}

// AppendJSON appends m as encoding/json writes it.
func (m Message) AppendJSON(b []byte) []byte {
	b = jsonappend.String(append(b, `{"id":`...), m.ID)
	b = optional(b, `,"ref":`, m.Ref)
	b = optional(b, `,"stanza_id":`, m.StanzaID)
	b = optional(b, `,"room_stanza_id":`, m.RoomStanzaID)
	b = optional(b, `,"origin_id":`, m.OriginID)
	b = jsonappend.String(append(b, `,"from":`...), m.From)
	b = jsonappend.String(append(b, `,"to":`...), m.To)
	b = jsonappend.String(append(b, `,"kind":`...), m.Kind)
	b = jsonappend.String(append(b, `,"body":`...), m.Body)
	b = optional(b, `,"thread":`, m.Thread)
	b = optional(b, `,"subject":`, m.Subject)
	if m.Delay != nil {
		b = m.Delay.Stamp.AppendJSON(append(b, `,"delay":{"stamp":`...))
		b = append(optional(b, `,"from":`, m.Delay.From), '}')
	}
	b = jsonappend.String(append(b, `,"source":`...), m.Source)
	if m.Room != nil {
		b = m.Room.AppendJSON(append(b, `,"room":`...))
	}
	if m.MessageDetails != nil {
		if text, err := json.Marshal(m.MessageDetails); err == nil && len(text) > len("{}") { // of plain fields: cannot fail
			b = append(append(b, ','), text[1:len(text)-1]...)
		}
	}
	return append(b, '}')
}

// AppendJSON appends r as encoding/json writes it.
func (r MessageRoom) AppendJSON(b []byte) []byte {
	b = jsonappend.String(append(b, `{"nick":`...), r.Nick)
	b = optional(b, `,"occupant_id":`, r.OccupantID)
	b = strconv.AppendBool(append(b, `,"own":`...), r.Own)
	b = optional(b, `,"jid":`, r.JID)
	return append(optional(b, `,"affiliation":`, r.Affiliation), '}')
}

// optional appends a field that is left out when it is empty.
func optional[S ~string](b []byte, name string, value S) []byte {
	if value == "" {
		return b
	}
	return jsonappend.String(append(b, name...), value)
}

// AppendJSON appends c as encoding/json writes it.
func (c ChatStateChange) AppendJSON(b []byte) []byte {
	b = jsonappend.String(append(b, `{"from":`...), c.From)
	b = jsonappend.String(append(b, `,"state":`...), c.State)
	return append(optional(optional(b, `,"room":`, c.Room), `,"nick":`, c.Nick), '}')
}

// AppendJSON appends c as encoding/json writes it.
func (c StatusChange) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	if c.ID != "" {
		b = append(jsonappend.String(append(b, `"id":`...), c.ID), ',')
	}
	if c.Ref != "" {
		b = append(jsonappend.String(append(b, `"ref":`...), c.Ref), ',')
	}
	b = jsonappend.String(append(b, `"status":`...), c.Status)
	b = optional(b, `,"conversation":`, c.Conversation)
	if c.Time != 0 {
		b = c.Time.AppendJSON(append(b, `,"time":`...))
	}
	if x := c.Error; x != nil {
		b = jsonappend.String(append(b, `,"error":{"condition":`...), x.Condition)
		b = optional(b, `,"type":`, x.Type)
		b = optional(b, `,"text":`, x.Text)
		b = append(optional(b, `,"by":`, x.By), '}')
	}
	return append(b, '}')
}

// AppendJSON appends p as encoding/json writes it.
func (p Presence) AppendJSON(b []byte) []byte {
	b = jsonappend.String(append(b, `{"jid":`...), p.JID)
	b = strconv.AppendBool(append(b, `,"available":`...), p.Available)
	b = shows.append(append(b, `,"show":`...), uint8(p.Show))
	b = strconv.AppendInt(append(b, `,"priority":`...), int64(p.Priority), 10)
	b = strconv.AppendBool(append(b, `,"stale":`...), p.Stale)
	b = jsonappend.String(append(b, `,"status":`...), p.Status)
	b = append(b, `,"resources":`...)
	if p.Resources == nil {
		b = append(b, "null"...)
	} else { // no jsonappend.List, which would move b of NewEvent to the heap
		b = append(b, '[')
		for i := range p.Resources {
			if i > 0 {
				b = append(b, ',')
			}
			b = p.Resources[i].AppendJSON(b)
		}
		b = append(b, ']')
	}
	return append(p.UpdatedAt.AppendJSON(append(b, `,"updated_at":`...)), '}')
}

// AppendJSON appends r as encoding/json writes it.
func (r Resource) AppendJSON(b []byte) []byte {
	b = jsonappend.String(append(b, `{"resource":`...), r.Resource)
	b = shows.append(append(b, `,"show":`...), uint8(r.Show))
	b = strconv.AppendInt(append(b, `,"priority":`...), int64(r.Priority), 10)
	b = jsonappend.String(append(b, `,"status":`...), r.Status)
	return append(r.UpdatedAt.AppendJSON(append(b, `,"updated_at":`...)), '}')
}

// AppendJSON appends y as encoding/json writes it.
func (y Buddy) AppendJSON(b []byte) []byte {
	b = jsonappend.String(append(b, `{"jid":`...), y.JID)
	b = jsonappend.String(append(b, `,"name":`...), y.Name)
	b = jsonappend.Strings(append(b, `,"groups":`...), y.Groups)
	b = subscriptions.append(append(b, `,"subscription":`...), max(1, uint8(y.Subscription)))
	b = asks.append(append(b, `,"ask":`...), uint8(y.Ask))
	b = strconv.AppendBool(append(b, `,"approved":`...), y.Approved)
	if y.Mutual {
		b = append(b, `,"mutual":true`...)
	}
	b = optional(b, `,"nick":`, y.Nick)
	return append(b, '}')
}

// AppendJSON appends i as encoding/json writes it.
func (i Invitation) AppendJSON(b []byte) []byte {
	b = jsonappend.String(append(b, `{"jid":`...), i.JID)
	b = jsonappend.String(append(b, `,"nick":`...), i.Nick)
	b = jsonappend.String(append(b, `,"message":`...), i.Message)
	return append(i.ReceivedAt.AppendJSON(append(b, `,"received_at":`...)), '}')
}

// AppendJSON appends i as encoding/json writes it.
func (i SessionInfo) AppendJSON(b []byte) []byte {
	b = jsonappend.String(append(b, `{"jid":`...), i.JID)
	b = jsonappend.String(append(b, `,"resource":`...), i.Resource)
	b = jsonappend.String(append(b, `,"state":`...), i.State)
	b = jsonappend.String(append(b, `,"reason":`...), i.Reason)
	if i.Cause != "" {
		b = jsonappend.String(append(b, `,"cause":`...), i.Cause)
	}
	if i.Detail != "" {
		b = jsonappend.String(append(b, `,"detail":`...), i.Detail)
	}
	b = i.Since.AppendJSON(append(b, `,"since":`...))
	b = i.RetryAt.AppendJSON(append(b, `,"retry_at":`...))
	b = jsonappend.String(append(b, `,"upstream":`...), i.Upstream)
	b = jsonappend.String(append(b, `,"delivery":`...), i.Delivery)
	b = jsonappend.Strings(append(b, `,"features":`...), i.Features)
	b = i.LastStanzaAt.AppendJSON(append(b, `,"last_stanza_at":`...))
	if b = append(b, `,"ping_rtt_ms":`...); i.PingRTT == nil {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, *i.PingRTT, 10)
	}
	b = strconv.AppendInt(append(b, `,"streams":`...), int64(i.Streams), 10)
	b = optional(b, `,"rooms":`, i.Rooms)
	if i.Services != nil {
		b = append(jsonappend.Strings(append(b, `,"services":{"muc":`...), i.Services.MUC), '}')
	}
	if i.Uploads != nil {
		b = strconv.AppendInt(append(b, `,"uploads":{"max_size":`...), i.Uploads.MaxSize, 10)
		b = append(jsonappend.String(append(b, `,"proxy":`...), i.Uploads.Proxy), '}')
	}
	return append(b, '}')
}
