package stanza

import (
	"slices"
	"strconv"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/payload"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// foreign are elements of a message that are kept as they are, for clients that know them. The
// encrypted one is the first.
type foreign struct {
	els [perch.MaxPayloads]*xmlstream.Borrowed
	n   int // also those that have no room
}

func (f *foreign) add(el *xmlstream.Borrowed) {
	if f.n < len(f.els) {
		f.els[f.n] = el
	}
	f.n++
}

func (f *foreign) addFirst(el *xmlstream.Borrowed) {
	copy(f.els[1:], f.els[:])
	f.els[0] = el
	f.n++
}

// first moves the element of a namespace to the front.
func (f *foreign) first(space xmlstream.Text) {
	for i, el := range f.els[:min(f.n, len(f.els))] {
		if el.Space().Is(space.Peek()) {
			copy(f.els[1:i+1], f.els[:i])
			f.els[0] = el
			return
		}
	}
}

// remove takes out an element that was of use after all.
func (f *foreign) remove(el *xmlstream.Borrowed) {
	if i := slices.Index(f.els[:min(f.n, len(f.els))], el); i >= 0 {
		copy(f.els[i:], f.els[i+1:])
		f.els[len(f.els)-1] = nil // of more than there is room for, the next one was not kept
		f.n--
	}
}

// texts are the elements as XML, each on its own. Truncated says that some had no room.
func (f *foreign) texts() (list []string, truncated bool) {
	truncated = f.n > len(f.els)
	room := perch.MaxPayloadBytes
	for _, el := range f.els[:min(f.n, len(f.els))] {
		if el == nil {
			return list, true
		}
		var w xmlstream.Writer
		w.AtMost(perch.MaxPayloadBytes)
		w.Tree("", el, "")
		text, err := w.Result()
		if err != nil || len(text) > room {
			truncated = true
			continue
		}
		room -= len(text)
		list = append(list, string(text))
	}
	return list, truncated
}

// payloadLimits are those of a stanza, of which a payload is the second level.
func payloadLimits() xmlstream.Limits {
	l := xmlstream.DefaultLimits()
	l.Depth--
	return l
}

// payloads writes elements that a client gave as XML: read by the parser that reads streams, and
// written anew, so that nothing else than one element can come of each. That may be longer, but not without end.
func (w *writer) payloads(list []string) {
	var anew xmlstream.Writer
	anew.AtMost(4 * perch.MaxPayloadBytes)
	if len(list) > perch.MaxPayloads {
		w.fail("/payloads", "at most %d are allowed", perch.MaxPayloads)
	}
	size := 0
	for i, text := range list {
		field := "/payloads/" + strconv.Itoa(i)
		if size += len(text); size > perch.MaxPayloadBytes {
			w.fail(field, "at most %d bytes are allowed in all payloads together", perch.MaxPayloadBytes)
			return
		}
		el, err := xmlstream.Parse(strings.TrimSpace(text), payloadLimits())
		switch {
		case err != nil:
			w.fail(field, "it must be one well-formed XML element: %v", err)
		case el.Space() == "":
			w.fail(field, "the element must be in a namespace")
		case payload.Reserved(el.Space()):
			w.fail(field, "elements of the namespace %s are written by this gateway", el.Space())
		default:
			anew.Tree(field, el.Borrowed(), nsClient)
		}
	}
	b, err := anew.Result()
	if err != nil {
		w.Fail(err)
	}
	w.Bytes(b)
}
