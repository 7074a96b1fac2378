package stanza

import (
	"maps"
	"slices"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const (
	nsMUCOwner  = "http://jabber.org/protocol/muc#owner"
	formOfRooms = "http://jabber.org/protocol/muc#roomconfig"
)

// RoomForm is the form with which a room is configured (XEP-0045, 10.2), as the room has sent it.
type RoomForm struct{ fields form }

// EncodeRoomConfigGet asks for the form.
func EncodeRoomConfigGet() []byte { return []byte("<query xmlns='" + nsMUCOwner + "'/>") }

// EncodeRoomConfigDefault accepts the configuration that a service gives new rooms (XEP-0045, 10.1.2).
// It changes nothing of another room.
func EncodeRoomConfigDefault() []byte { return encodeRoomForm("submit") }

// EncodeRoomConfigCancel leaves the configuration as it is. A room that is new is destroyed (XEP-0045,
// 10.1.3).
func EncodeRoomConfigCancel() []byte { return encodeRoomForm("cancel") }

func encodeRoomForm(typ string) []byte {
	return []byte("<query xmlns='" + nsMUCOwner + "'><x xmlns='" + nsForms + "' type='" + typ + "'/></query>")
}

// ParseRoomForm reads the answer to EncodeRoomConfigGet.
func ParseRoomForm(payload *xmlstream.Element) (RoomForm, error) {
	x := payload.Child(nsForms, "x")
	if !payload.Is(nsMUCOwner, "query") || x == nil {
		return RoomForm{}, perch.Errorf(perch.KindXMPP, "the room sent no form")
	}
	f, err := parseForm(x)
	return RoomForm{f}, err
}

// Config is what the form says: what this gateway knows by name, and the rest as it is.
func (f RoomForm) Config() perch.RoomConfig {
	var c perch.RoomConfig
	known := map[string]bool{formTypeField: true, passwordField: true}
	for _, s := range roomSettings {
		if field := s.in(f.fields); field != nil {
			s.read(&c, field)
			known[field.name] = true
		}
	}
	if c.Password != nil && f.open() {
		*c.Password = ""
	}
	for _, field := range f.fields {
		if known[field.name] {
			continue
		}
		if c.Fields == nil {
			c.Fields = map[string][]string{}
		}
		c.Fields[field.name] = append([]string{}, field.values...)
	}
	return c
}

// open reports whether the room needs no password, although it may have one.
func (f RoomForm) open() bool {
	on := f.fields.field(passwordField)
	return on != nil && !on.truth()
}

// Encode submits what c says otherwise than the form. The error is of KindFeatureUnsupported for a
// setting that the room does not have, and of KindValidation for a value that cannot be.
func (f RoomForm) Encode(c perch.RoomConfig) ([]byte, error) {
	var changed form
	pointers := map[string]string{}
	change := func(pointer, name string, values ...string) {
		if !slices.Equal(f.fields.field(name).values, values) {
			pointers[name] = pointer
			changed = append(changed, formField{name: name, values: values})
		}
	}
	if err := f.named(&c, change); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Fields)) {
		pointer := "/fields/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		if err := f.mayFill(pointer, name); err != nil {
			return nil, err
		}
		change(pointer, name, c.Fields[name]...)
	}
	var w writer
	w.Raw("<query xmlns='" + nsMUCOwner + "'>")
	w.form(formOfRooms, changed, func(name string) string { return pointers[name] })
	w.Raw("</query>")
	return w.Result()
}

// named are the changes of what this gateway knows by name.
func (f RoomForm) named(c *perch.RoomConfig, change func(pointer, name string, values ...string)) error {
	for _, s := range roomSettings {
		values, given, err := s.values(c)
		field := s.in(f.fields)
		switch {
		case err != nil:
			return err
		case !given, s.name == "password" && values[0] == "" && f.open():
			continue
		case field == nil:
			return perch.Errorf(perch.KindFeatureUnsupported, "this room has no setting %q", s.name)
		}
		if !s.says(field, values) {
			change("/"+s.name, field.name, field.split(values)...)
		}
	}
	if on := f.fields.field(passwordField); on != nil && c.Password != nil && on.truth() != (*c.Password != "") {
		change("/password", passwordField, truthValue(*c.Password != ""))
	}
	return nil
}

// mayFill refuses a field that the form does not have, and one that has a name of its own.
func (f RoomForm) mayFill(pointer, name string) error {
	named := name == formTypeField || name == passwordField
	for _, s := range roomSettings {
		field := s.in(f.fields)
		named = named || field != nil && field.name == name
	}
	switch {
	case named:
		return perch.Invalid(pointer, "this is set by the name that this gateway has for it")
	case f.fields.field(name) == nil:
		return perch.Invalid(pointer, "the form of this room has no such field")
	}
	return nil
}
