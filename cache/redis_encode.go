package cache

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// Places in the arguments of commit.lua that are filled in for each commit; some of them when a job
// is queued, and when it is sent.
const (
	argID      = 0
	argFence   = 1
	argEpoch   = 2
	argN       = 3
	argPrev    = 4
	argNow     = 5
	argOldest  = 6
	argRecord  = 12
	argUntil   = 14
	argOnce    = 15
	argFirst   = 16
	argEvents  = 17
	argRelease = 18
	argsHead   = 19
	argsTables = 24 // of the tables in which a commit changes nothing
)

// commitHead has what is the same in the arguments of all commits.
func commitHead(o *RedisOptions) []any {
	return []any{
		argEpoch: "", argN: 0, argPrev: 0, argNow: 0, argOldest: 0, 7: ms(o.StateTTL), 8: ms(o.StateTTL) / 168,
		9: o.Retention.Events, 10: o.Retention.Bytes, 11: ms(o.Retention.Age), 13: ms(sessions.OnceTTL), argsHead - 1: nil,
	}
}

// arguments writes a commit as the keys and arguments of commit.lua.
func (r *Redis) arguments(id sessions.ID, c *sessions.Commit) (keys []string, args []any, err error) {
	keys = append(r.keys.data(id), r.keys.timed(id))
	once := ""
	if c.Once != nil {
		if once, err = encode(onceRow{id, c.Once}); err != nil {
			return nil, nil, err
		}
	}
	record := ""
	if c.Record != nil {
		if record, err = encode(c.Record); err != nil {
			return nil, nil, err
		}
	}
	// The index is swept by the clock of this node; a minute more keeps it from losing an
	// entry before Redis ends the record itself.
	until := r.now().Add(sessions.OnceTTL + time.Minute).UnixMilli()
	first, epoch := span(c.Events, c.Epoch)
	args = append(make([]any, 0, argsHead+3*len(c.Events)+argsTables), r.head...)
	args[argID], args[argFence], args[argEpoch], args[argRecord], args[argUntil] = string(id), c.Fence, epoch, record, until
	args[argOnce], args[argFirst], args[argEvents], args[argRelease] = once, first, len(c.Events), flag(c.Release)
	for _, e := range c.Events {
		args = append(args, int64(e.Time), string(e.Type), e.Wire)
	}
	a := appender{args: args}
	addContacts(&a, &c.Contacts)
	addDelta(&a, c.Invitations, invitationKey, plain)
	addDelta(&a, c.VCards, vcardKey, func(v *perch.VCard) any { return vcardRow{v, photo(v)} })
	addDelta(&a, c.Outbox, outboxKey, plain)
	addConversations(&a, &c.Conversations)
	addDelta(&a, c.Rooms, roomKey, newRoomRow)
	addNicks(&a, &c.Contacts)
	addDelta(&a, c.Readers, readerKey, newReaderRow)
	for _, m := range c.Messages {
		keys = append(keys, r.keys.message(id, m.ID))
		a.add(messageRow{id, m})
	}
	if c.Once != nil {
		keys = append(keys, r.keys.once(id, c.Once.Key))
	}
	return keys, a.args, a.err
}

// span returns the first offset of the events and the epoch to check. Offset 0 has the script
// refuse events with a hole, and epoch "-" those of more than one log.
func span(events []*perch.Event, epoch string) (uint64, string) {
	if len(events) == 0 {
		return 0, epoch
	}
	first := events[0].Position.Offset
	if epoch == "" {
		epoch = events[0].Position.Epoch
	}
	for i, e := range events {
		if e.Position.Epoch != epoch {
			return first, "-"
		}
		if e.Position.Offset != first+uint64(i) || e.Position.Offset > maxOffset {
			first = 0
			break
		}
	}
	return first, epoch
}

type appender struct {
	args []any
	err  error
}

func (a *appender) add(v any) {
	s, err := encode(v)
	if err != nil && a.err == nil {
		a.err = err
	}
	a.args = append(a.args, s)
}

func addDelta[T any](a *appender, d sessions.Delta[T], key func(*T) string, row func(*T) any) {
	a.args = append(a.args, flag(d.Reset), len(d.Del))
	for _, k := range d.Del {
		a.args = append(a.args, k)
	}
	a.args = append(a.args, len(d.Put))
	for _, v := range d.Put {
		a.args = append(a.args, key(v))
		a.add(row(v))
	}
}

func plain[T any](v *T) any { return v }

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// Rows that carry more than the word itself: the session they belong to, so that a
// mixed-up key is seen, or what JSON for clients leaves out.
type (
	onceRow struct {
		Session sessions.ID `json:"s"`
		*sessions.Once
	}
	messageRow struct {
		Session sessions.ID          `json:"s"`
		Message *perch.MessageRecord `json:"m"`
	}
	vcardRow struct {
		Card  *perch.VCard `json:"c"`
		Photo []byte       `json:"p,omitempty"`
	}
)

func photo(v *perch.VCard) []byte {
	if v.Photo == nil {
		return nil
	}
	return v.Photo.Data
}

func encode(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("cache: encoding %T: %w", v, err)
	}
	return string(b), nil
}

// decode reads what encode wrote. Anything else means that another program wrote to our keys.
func decode[T any](s string) (*T, error) {
	v := new(T)
	if err := json.Unmarshal([]byte(s), v); err != nil {
		return nil, corrupt(err)
	}
	return v, nil
}

func corrupt(err error) error {
	return perch.Wrap(perch.KindInternal, err, "the store holds something that Perch did not write")
}

// decodeRows reads the values of a HGETALL, {field, value, field, value ...}.
func decodeRows[T any](reply any) ([]*T, error) {
	flat, ok := reply.([]any)
	if !ok || len(flat) == 0 {
		return nil, nil
	}
	rows := make([]*T, 0, len(flat)/2)
	for i := 1; i < len(flat); i += 2 {
		v, err := decode[T](text(flat[i]))
		if err != nil {
			return nil, err
		}
		rows = append(rows, v)
	}
	return rows, nil
}

// text and number read a reply that may be a string or an integer.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return ""
}

func number(v any) uint64 {
	n, _ := strconv.ParseUint(text(v), 10, 64)
	return n
}
