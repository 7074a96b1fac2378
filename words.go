package perch

import (
	"encoding/json"
	"fmt"
	"slices"
)

// words are the wire forms of a small set of values, by value. A form "" is null in JSON.
type words []string

// find returns the value of a wire form.
func (w words) find(s string) (uint8, bool) {
	i := slices.Index(w, s)
	return uint8(max(i, 0)), i >= 0
}

// text returns the wire form; what is no value has none.
func (w words) text(v uint8) string {
	if int(v) >= len(w) {
		return ""
	}
	return w[v]
}

func (w words) json(v uint8) []byte { return w.append(nil, v) }

// append appends the wire form as JSON, which needs no escapes.
func (w words) append(b []byte, v uint8) []byte {
	text := w.text(v)
	if text == "" {
		return append(b, "null"...)
	}
	return append(append(append(b, '"'), text...), '"')
}

func (w words) parse(b []byte, into *uint8) error {
	var s string // null leaves it empty
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, ok := w.find(s)
	if !ok {
		return fmt.Errorf("%q is none of %q", s, []string(w))
	}
	*into = v
	return nil
}
