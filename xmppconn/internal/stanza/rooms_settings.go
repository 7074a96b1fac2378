package stanza

import (
	"slices"
	"strconv"
	"strings"

	"github.com/perch-im/perch"
)

// Fields that belong to another one, or to the form.
const (
	formTypeField = "FORM_TYPE"
	passwordField = "muc#roomconfig_passwordprotectedroom" // many services have it beside the password
)

// roomSetting is a part of perch.RoomConfig.
type roomSetting struct {
	name    string   // in JSON
	fields  []string // in forms: what services call it
	at      func(*perch.RoomConfig) any
	allowed []string // values; nil: any
}

// roomSettings are what most services have.
var roomSettings = []roomSetting{
	{name: "name", fields: []string{"muc#roomconfig_roomname"}, at: func(c *perch.RoomConfig) any { return &c.Name }},
	{name: "description", fields: []string{"muc#roomconfig_roomdesc"}, at: func(c *perch.RoomConfig) any { return &c.Description }},
	{name: "language", fields: []string{"muc#roomconfig_lang"}, at: func(c *perch.RoomConfig) any { return &c.Language }},
	{name: "persistent", fields: []string{"muc#roomconfig_persistentroom"}, at: func(c *perch.RoomConfig) any { return &c.Persistent }},
	{name: "public", fields: []string{"muc#roomconfig_publicroom"}, at: func(c *perch.RoomConfig) any { return &c.Public }},
	{name: "members_only", fields: []string{"muc#roomconfig_membersonly"}, at: func(c *perch.RoomConfig) any { return &c.MembersOnly }},
	{name: "moderated", fields: []string{"muc#roomconfig_moderatedroom"}, at: func(c *perch.RoomConfig) any { return &c.Moderated }},
	{
		name: "real_jids", fields: []string{"muc#roomconfig_whois"}, at: func(c *perch.RoomConfig) any { return &c.RealJIDs },
		allowed: []string{"anyone", "moderators"},
	},
	{name: "change_subject", fields: []string{"muc#roomconfig_changesubject"}, at: func(c *perch.RoomConfig) any { return &c.ChangeSubject }},
	{
		name: "allow_invites", fields: []string{"muc#roomconfig_allowinvites", "{http://prosody.im/protocol/muc}roomconfig_allowmemberinvites"},
		at: func(c *perch.RoomConfig) any { return &c.AllowInvites },
	},
	{
		name: "archive", fields: []string{"muc#roomconfig_enablearchiving", "mam"},
		at: func(c *perch.RoomConfig) any { return &c.Archive },
	},
	{name: "max_occupants", fields: []string{"muc#roomconfig_maxusers"}, at: func(c *perch.RoomConfig) any { return &c.MaxOccupants }},
	{name: "password", fields: []string{"muc#roomconfig_roomsecret"}, at: func(c *perch.RoomConfig) any { return &c.Password }},
	{
		name: "presence_broadcast", fields: []string{"muc#roomconfig_presencebroadcast"}, at: func(c *perch.RoomConfig) any { return &c.PresenceOf },
		allowed: []string{string(perch.RoleModerator), string(perch.RoleParticipant), string(perch.RoleVisitor)},
	},
}

// in is the field of the setting in a form; nil: the service does not have it.
func (s *roomSetting) in(f form) *formField {
	for _, name := range s.fields {
		if field := f.field(name); field != nil {
			return field
		}
	}
	return nil
}

// read sets the part of a configuration to what a field says.
func (s *roomSetting) read(c *perch.RoomConfig, f *formField) {
	switch at := s.at(c).(type) {
	case **string:
		text := f.lines()
		*at = &text
	case **bool:
		on := f.truth()
		*at = &on
	case **int:
		n, err := strconv.ParseUint(strings.TrimSpace(f.text()), 10, 31)
		if err != nil {
			n = 0 // "none" (XEP-0045, 15.5.3)
		}
		most := int(n)
		*at = &most
	case **[]string:
		list := append([]string{}, f.values...)
		*at = &list
	}
}

// says reports whether a field has these values already, in whatever way the service writes them.
func (s *roomSetting) says(f *formField, values []string) bool {
	switch s.at(new(perch.RoomConfig)).(type) {
	case **bool:
		return f.truth() == (values[0] == "1")
	case **string:
		return f.lines() == values[0]
	}
	return slices.Equal(f.values, values)
}

// values is what a configuration wants of the setting; given is false when it wants nothing.
func (s *roomSetting) values(c *perch.RoomConfig) (values []string, given bool, err error) {
	switch at := s.at(c).(type) {
	case **string:
		if given = *at != nil; given {
			values = []string{**at}
		}
	case **bool:
		if given = *at != nil; given {
			values = []string{truthValue(**at)}
		}
	case **int:
		if given = *at != nil; given {
			values = []string{strconv.Itoa(**at)}
			if **at < 0 {
				return nil, true, perch.Invalid("/"+s.name, "it must not be negative")
			} else if **at == 0 {
				values[0] = "none"
			}
		}
	case **[]string:
		if given = *at != nil; given {
			values = **at
		}
	}
	for _, v := range values {
		if s.allowed != nil && !slices.Contains(s.allowed, v) {
			return nil, true, perch.Invalid("/"+s.name, "it must be one of %s", strings.Join(s.allowed, ", "))
		}
	}
	return values, given, nil
}
