package api

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

// jsonNames are the names of the fields of a struct, those of embedded ones included.
func jsonNames(t reflect.Type) []string {
	var names []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && f.Type.Kind() == reflect.Pointer:
			names = append(names, jsonNames(f.Type.Elem())...)
		case f.Anonymous:
			names = append(names, jsonNames(f.Type)...)
		case name != "-":
			names = append(names, name)
		}
	}
	return names
}

// TestArchiveItemsAreMessages: an item of the archive has every field that a message of an event has,
// and is filled with all of them.
func TestArchiveItemsAreMessages(t *testing.T) {
	renamed := map[string]string{"id": "message_id", "stanza_id": "id", "source": ""}
	item := jsonNames(reflect.TypeFor[archiveItem]())
	for _, name := range jsonNames(reflect.TypeFor[perch.Message]()) {
		want := name
		if other, ok := renamed[name]; ok {
			want = other
		}
		if want != "" && !slices.Contains(item, want) {
			t.Errorf("got the fields %q of an item, want %s for %s of a message", slices.Sorted(slices.Values(item)), want, name)
		}
	}
	full := perch.ArchiveItem{Time: 1, TimeIsArrival: true}
	fill(reflect.ValueOf(&full.Message).Elem())
	v := reflect.ValueOf(archiveItemOf(&full))
	empty := map[string]bool{}
	for f, x := range v.Fields() {
		if x.IsZero() {
			empty[f.Name] = true
		}
	}
	if len(empty) > 0 {
		t.Errorf("got no value for %q of a message that has all fields, want one", slices.Sorted(maps.Keys(empty)))
	}
}

// fill gives every field of a struct a value.
func fill(v reflect.Value) {
	for _, x := range v.Fields() {
		switch x.Kind() {
		case reflect.String:
			x.SetString("x")
		case reflect.Bool:
			x.SetBool(true)
		case reflect.Pointer:
			x.Set(reflect.New(x.Type().Elem()))
		}
	}
}
