package sessions

import (
	"reflect"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/jsonappend"
)

// TestVersionOfPresences: the version of an answer changes with every field that it has, those of
// resources included, so that a 304 never hides a change.
func TestVersionOfPresences(t *testing.T) {
	base := func() *perch.Presence {
		return &perch.Presence{JID: "bob@example.net", Resources: []perch.Resource{{Resource: "a"}}}
	}
	want := versionOf(jsonappend.List(nil, []perch.Presence{*base()}))
	if got := versionOf(jsonappend.List(nil, []perch.Presence{*base()})); got != want {
		t.Errorf("versionOf the same: got %s, want %s", got, want)
	}
	change := func(v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.Int8, reflect.Int64:
			v.SetInt(v.Int() + 1)
		case reflect.Uint8:
			v.SetUint(v.Uint() + 1)
		case reflect.Slice:
			v.Set(v.Slice(0, 0))
		default:
			t.Fatalf("got a field of kind %s, want this test to know it", v.Kind())
		}
	}
	for i := range reflect.TypeFor[perch.Presence]().NumField() {
		p := base()
		change(reflect.ValueOf(p).Elem().Field(i))
		if versionOf(jsonappend.List(nil, []perch.Presence{*p})) == want {
			t.Errorf("got the same version with another %s, want another", reflect.TypeFor[perch.Presence]().Field(i).Name)
		}
	}
	for i := range reflect.TypeFor[perch.Resource]().NumField() {
		p := base()
		change(reflect.ValueOf(&p.Resources[0]).Elem().Field(i))
		if versionOf(jsonappend.List(nil, []perch.Presence{*p})) == want {
			t.Errorf("got the same version with another %s of a resource, want another", reflect.TypeFor[perch.Resource]().Field(i).Name)
		}
	}
	if got := versionOf(jsonappend.List(nil, []perch.Presence{*base(), *base()})); got == want {
		t.Error("got the same version with another buddy, want another")
	}
}
