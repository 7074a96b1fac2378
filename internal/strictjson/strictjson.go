// Package strictjson reads one JSON object into a struct. It is stricter than encoding/json
// where leniency would hide a mistake or an attack: an unknown field, a duplicate key, a key in
// other letters, invalid UTF-8, half of a surrogate pair, anything after the object, a wrong
// type, and characters that XML cannot carry are all refused, the field named by its pointer
// (RFC 6901).
//
// It stands in for encoding/json/v2 until that no longer needs an experiment of the Go release.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	"github.com/perch-im/perch"
)

// Decode reads body into a struct. Fields are named by their json tags, and those of a struct that is
// embedded as a value belong to it; one with a tag "need"
// must not be null, though it may be left out: whether it may is for the caller to say. A
// json.RawMessage field is taken as it stands, once for its syntax: its reader has to decode it
// in the same way.
//
// What makes the whole body unreadable is a perch.Error of KindMalformedJSON. What is wrong with
// single fields is one of KindValidation, with ten entries in Fields at most. The texts are for
// clients. When there is an error, into may be partly filled.
//
// Every step is a pass over the body that takes a time in proportion to its bytes, or stops at
// the first mistakes: a body costs about the same whatever is in it. The caller bounds its size.
func Decode[T any](body []byte, into *T) error {
	if err := checkEncoding(body); err != nil {
		return err
	}
	if err := checkSyntax(body); err != nil {
		return err
	}
	if first := bytes.TrimLeft(body, " \t\r\n"); first[0] != '{' {
		return perch.Errorf(perch.KindMalformedJSON, "the body must be a JSON object")
	}
	wrong, err := checkFields(body, reflect.TypeFor[T]())
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		return &perch.Error{Kind: perch.KindValidation, Detail: wrong[0].Pointer + ": " + wrong[0].Detail, Fields: wrong}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return unmarshalError(err)
	}
	return nil
}

// unmarshalError is reached only for what the checker does not look at, such as a number
// that is too large for its field.
func unmarshalError(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return perch.Invalid("/"+strings.ReplaceAll(t.Field, ".", "/"), "a %.20s does not fit here", t.Value)
	}
	return perch.Wrap(perch.KindValidation, err, "a value does not have the form that its field needs")
}
