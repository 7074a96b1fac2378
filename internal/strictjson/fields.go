package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/perch-im/perch"
)

// Bounds of what is looked at before a body is refused. They bound the answer, and what a
// body can cost: no list of this API may have as many items.
const (
	maxFieldErrors = 10
	maxListItems   = 256
)

// errEnough stops a check that has found maxFieldErrors mistakes.
var errEnough = errors.New("strictjson: enough mistakes were found")

// checkFields compares a JSON object with the struct that it is meant for, token by token.
// It returns what is wrong with its fields, maxFieldErrors at most; the error is for what
// makes the whole body unreadable, such as a duplicate key: two readers of such a
// body could see two different requests. The body must be valid JSON.
func checkFields(body []byte, t reflect.Type) ([]perch.FieldError, error) {
	c := &checker{body: body, dec: json.NewDecoder(bytes.NewReader(body))}
	c.dec.UseNumber()
	err := c.value("", t, false)
	if errors.Is(err, errEnough) {
		err = nil
	}
	return c.wrong, err
}

// checker reads the tokens of a body and collects what is wrong.
type checker struct {
	body  []byte
	dec   *json.Decoder
	wrong []perch.FieldError
}

// add notes a mistake. It returns errEnough when there are enough.
func (c *checker) add(pointer, format string, args ...any) error {
	c.wrong = append(c.wrong, perch.FieldError{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	if len(c.wrong) >= maxFieldErrors {
		return errEnough
	}
	return nil
}

var rawType = reflect.TypeFor[json.RawMessage]()

// skip reads a value without looking at it.
func (c *checker) skip() error {
	var raw json.RawMessage
	if err := c.dec.Decode(&raw); err != nil {
		return perch.Wrap(perch.KindMalformedJSON, err, "not valid JSON")
	}
	return nil
}

// next is the first byte of the next value.
func (c *checker) next() byte {
	rest := bytes.TrimLeft(c.body[c.dec.InputOffset():], " \t\r\n:,")
	if len(rest) == 0 {
		return 0
	}
	return rest[0]
}

// misfit refuses a value whole, without looking into it.
func (c *checker) misfit(pointer string, t reflect.Type, got string) error {
	if err := c.add(pointer, "must be %s, not %s", wanted(t), got); err != nil {
		return err
	}
	return c.skip()
}

// value checks the next value. Null stands for a field that is left out, and is refused
// where the field is needed.
func (c *checker) value(pointer string, t reflect.Type, needed bool) error {
	if t == rawType {
		return c.skip()
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch first := c.next(); {
	case first == '{' && t.Kind() != reflect.Struct && t.Kind() != reflect.Map:
		return c.misfit(pointer, t, "an object")
	case first == '[' && (t.Kind() != reflect.Slice || t.Elem().Kind() == reflect.Uint8):
		return c.misfit(pointer, t, "a list")
	}
	tok, err := c.dec.Token()
	if err != nil {
		return perch.Wrap(perch.KindMalformedJSON, err, "not valid JSON")
	}
	switch v := tok.(type) {
	case json.Delim:
		if v == '[' {
			return c.array(pointer, t)
		}
		return c.object(pointer, t)
	case string:
		return c.text(pointer, v, t)
	case json.Number:
		return c.number(pointer, v, t)
	case bool:
		if t.Kind() != reflect.Bool {
			return c.add(pointer, "must be %s, not true or false", wanted(t))
		}
	case nil:
		if needed {
			return c.add(pointer, "must be %s, not null", wanted(t))
		}
	}
	return nil
}

func (c *checker) object(pointer string, t reflect.Type) error {
	seen := map[string]bool{}
	for c.dec.More() {
		tok, err := c.dec.Token()
		if err != nil {
			return perch.Wrap(perch.KindMalformedJSON, err, "not valid JSON")
		}
		key, _ := tok.(string)
		if seen[key] {
			at := pointer + "/" + EscapePointer(key)
			return &perch.Error{Kind: perch.KindMalformedJSON, Detail: at + ": duplicate key",
				Fields: []perch.FieldError{{Pointer: at, Detail: "duplicate key"}}}
		}
		seen[key] = true
		if t.Kind() == reflect.Map && len(seen) > maxListItems {
			_ = c.add(pointer, "must have at most %d members", maxListItems)
			return errEnough // as of an array
		}
		if err := c.member(pointer+"/"+EscapePointer(key), key, t); err != nil {
			return err
		}
	}
	_, err := c.dec.Token()
	return err
}

// member checks the value of a key that was read. A map has whatever keys its client likes.
func (c *checker) member(at, key string, t reflect.Type) error {
	if t.Kind() == reflect.Map && ForbiddenRune(key) == "" {
		return c.value(at, t.Elem(), true)
	}
	if field, ok := fieldOf(t, key); ok {
		return c.value(at, field.Type, field.Tag.Get("need") != "")
	}
	detail := "is not a field of this request"
	if bad := ForbiddenRune(key); bad != "" {
		detail = "has " + bad + " in its name"
	}
	if err := c.add(at, "%s", detail); err != nil {
		return err
	}
	return c.skip()
}

// fieldOf finds the field with exactly this JSON name: encoding/json itself would also
// take "TO" for "to". The fields of a struct that is embedded as a value are among those of t.
func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	if t.Kind() != reflect.Struct {
		return reflect.StructField{}, false
	}
	for f := range t.Fields() {
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			if inner, ok := fieldOf(f.Type, key); ok {
				return inner, true
			}
			continue
		}
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name == key && name != "" && name != "-" {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

func (c *checker) array(pointer string, t reflect.Type) error {
	for i := 0; c.dec.More(); i++ {
		if i == maxListItems {
			_ = c.add(pointer, "must have at most %d entries", maxListItems)
			return errEnough // reading on is what the bound is against
		}
		if err := c.value(pointer+"/"+strconv.Itoa(i), t.Elem(), true); err != nil {
			return err
		}
	}
	_, err := c.dec.Token()
	return err
}

func (c *checker) text(pointer, s string, t reflect.Type) error {
	if t.Kind() != reflect.String && (t.Kind() != reflect.Slice || t.Elem().Kind() != reflect.Uint8) {
		return c.add(pointer, "must be %s, not a string", wanted(t))
	}
	if bad := ForbiddenRune(s); bad != "" {
		return c.add(pointer, "holds %s, which XML 1.0 cannot carry", bad)
	}
	return nil
}

func (c *checker) number(pointer string, n json.Number, t reflect.Type) error {
	if t.Kind() == reflect.Float64 {
		return nil
	}
	if t.Kind() < reflect.Int || t.Kind() > reflect.Int64 {
		return c.add(pointer, "must be %s, not a number", wanted(t))
	}
	i, err := n.Int64()
	if err != nil || reflect.Zero(t).OverflowInt(i) {
		bits := t.Bits() - 1
		return c.add(pointer, "must be a whole number from %d to %d", -1<<bits, 1<<bits-1)
	}
	return nil
}

// wanted names a type as a user of JSON knows it.
func wanted(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.String, t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return "a string"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map:
		return "an object"
	}
	return "a number"
}
