package api

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/perch-im/perch"
)

// maxFieldErrors bounds the list in an answer.
const maxFieldErrors = 10

// checker compares parsed JSON with the struct that it is meant for, and collects what is
// wrong with it.
type checker struct{ wrong []perch.FieldError }

func (c *checker) add(pointer, format string, args ...any) {
	if len(c.wrong) < maxFieldErrors {
		c.wrong = append(c.wrong, perch.FieldError{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
}

var rawType = reflect.TypeFor[json.RawMessage]()

// value checks one value; t is nil where any shape may stand.
func (c *checker) value(pointer string, v any, t reflect.Type) {
	nullable := t == nil
	if t == rawType {
		t, nullable = nil, true
	}
	if t != nil && t.Kind() == reflect.Pointer {
		t, nullable = t.Elem(), true
	}
	switch v := v.(type) {
	case object:
		c.object(pointer, v, t)
	case array:
		c.array(pointer, v, t)
	case string:
		c.text(pointer, v, t)
	case json.Number:
		c.number(pointer, v, t)
	case bool:
		c.kind(pointer, t, "true or false", reflect.Bool)
	case nil:
		if !nullable {
			c.add(pointer, "must be %s, not null", wanted(t))
		}
	}
}

func (c *checker) kind(pointer string, t reflect.Type, got string, kinds ...reflect.Kind) {
	if t == nil {
		return
	}
	for _, k := range kinds {
		if t.Kind() == k {
			return
		}
	}
	c.add(pointer, "must be %s, not %s", wanted(t), got)
}

func (c *checker) object(pointer string, obj object, t reflect.Type) {
	if t != nil && t.Kind() != reflect.Struct {
		c.add(pointer, "must be %s, not an object", wanted(t))
		return
	}
	for _, m := range obj {
		at := pointer + "/" + escapePointer(m.key)
		if bad := forbiddenRune(m.key); bad != "" {
			c.add(at, "has %s in its name", bad)
			continue
		}
		if t == nil {
			c.value(at, m.value, nil)
			continue
		}
		field, ok := fieldOf(t, m.key)
		if !ok {
			c.add(at, "is not a field of this request")
			continue
		}
		c.value(at, m.value, field)
	}
}

// fieldOf finds the field with exactly this JSON name: encoding/json itself would also
// take "TO" for "to".
func fieldOf(t reflect.Type, key string) (reflect.Type, bool) {
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name == key && name != "" && name != "-" {
			return f.Type, true
		}
	}
	return nil, false
}

func (c *checker) array(pointer string, list array, t reflect.Type) {
	var elem reflect.Type
	if t != nil {
		if t.Kind() != reflect.Slice || t.Elem().Kind() == reflect.Uint8 {
			c.add(pointer, "must be %s, not a list", wanted(t))
			return
		}
		elem = t.Elem()
	}
	for i, v := range list {
		c.value(fmt.Sprintf("%s/%d", pointer, i), v, elem)
	}
}

func (c *checker) text(pointer, s string, t reflect.Type) {
	c.kind(pointer, t, "a string", reflect.String, reflect.Slice)
	if t != nil && t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 {
		c.add(pointer, "must be %s, not a string", wanted(t))
	}
	if bad := forbiddenRune(s); bad != "" {
		c.add(pointer, "holds %s, which XML 1.0 cannot carry", bad)
	}
}

func (c *checker) number(pointer string, n json.Number, t reflect.Type) {
	c.kind(pointer, t, "a number", reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float64)
	if t == nil || t.Kind() < reflect.Int || t.Kind() > reflect.Int64 {
		return
	}
	i, err := n.Int64()
	if err != nil || reflect.Zero(t).OverflowInt(i) {
		bits := t.Bits() - 1
		c.add(pointer, "must be a whole number from %d to %d", -1<<bits, 1<<bits-1)
	}
}

// wanted names a type as a user of JSON knows it.
func wanted(t reflect.Type) string {
	switch {
	case t == nil:
		return "a value"
	case t.Kind() == reflect.String, t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return "a string"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Struct:
		return "an object"
	}
	return "a number"
}

// forbiddenRune names the first character of s that XML 1.0 (section 2.2) forbids, or
// gives "". Such a character would end the stream of the whole session, not only fail
// one message.
func forbiddenRune(s string) string {
	for _, r := range s {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return fmt.Sprintf("U+%04X", r)
		}
	}
	return ""
}
