package today

import (
	"slices"
	"strconv"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

const (
	nsRoomConfig = nsMUC + "#roomconfig"
	fieldPrefix  = "muc#roomconfig_"
)

// roomConfig is what the owners of a room decide (XEP-0045, 10.2).
type roomConfig struct {
	name, description, language string
	password                    string // "": none
	persistent, public          bool
	membersOnly, moderated      bool
	nonAnonymous                bool
	changeSubject, invites      bool // by participants
	archived                    bool
	maxOccupants                int // 0: no limit of its own
	presenceOf                  []perch.Role
	privateMessages             string // whose: anyone, participants, moderators, none
}

// roomRoles have a presence that can be shown.
var roomRoles = []perch.Role{perch.RoleModerator, perch.RoleParticipant, perch.RoleVisitor}

// newRoomConfig is that of an instant room (10.1.2).
func newRoomConfig() roomConfig {
	return roomConfig{public: true, invites: true, archived: true, presenceOf: roomRoles, privateMessages: "anyone"}
}

// roomField is one field of the form of a room.
type roomField struct {
	name, typ, label string
	options          []string
	get              func(*roomConfig) []string
	set              func(*roomConfig, []string) bool // reports whether the value can be
}

// roomFields are the form, in its order.
var roomFields = []roomField{
	textField("roomname", "text-single", "Name", func(c *roomConfig) *string { return &c.name }),
	textField("roomdesc", "text-single", "Description", func(c *roomConfig) *string { return &c.description }),
	textField("lang", "text-single", "Language of the discussion", func(c *roomConfig) *string { return &c.language }),
	boolField("persistentroom", "Keep the room when the last one has left", func(c *roomConfig) *bool { return &c.persistent }),
	boolField("publicroom", "Show the room in the list of rooms", func(c *roomConfig) *bool { return &c.public }),
	boolField("membersonly", "Only members may enter", func(c *roomConfig) *bool { return &c.membersOnly }),
	boolField("moderatedroom", "Only those with voice may speak", func(c *roomConfig) *bool { return &c.moderated }),
	boolField("changesubject", "Participants may change the subject", func(c *roomConfig) *bool { return &c.changeSubject }),
	boolField("allowinvites", "Participants may invite", func(c *roomConfig) *bool { return &c.invites }),
	boolField("enablearchiving", "Keep an archive", func(c *roomConfig) *bool { return &c.archived }),
	{
		name: "whois", typ: "list-single", label: "Who sees the addresses of occupants", options: []string{"moderators", "anyone"},
		get: func(c *roomConfig) []string {
			if c.nonAnonymous {
				return []string{"anyone"}
			}
			return []string{"moderators"}
		},
		set: func(c *roomConfig, v []string) bool {
			c.nonAnonymous = v[0] == "anyone"
			return c.nonAnonymous || v[0] == "moderators"
		},
	},
	{
		name: "allowpm", typ: "list-single", label: "Who may send private messages", options: []string{"anyone", "participants", "moderators", "none"},
		get: func(c *roomConfig) []string { return []string{c.privateMessages} },
		set: func(c *roomConfig, v []string) bool {
			c.privateMessages = v[0]
			return slices.Contains([]string{"anyone", "participants", "moderators", "none"}, v[0])
		},
	},
	{
		name: "presencebroadcast", typ: "list-multi", label: "Roles whose presence is shown", options: []string{"moderator", "participant", "visitor"},
		get: func(c *roomConfig) (list []string) {
			for _, role := range c.presenceOf {
				list = append(list, string(role))
			}
			return list
		},
		set: setPresenceOf,
	},
	{
		name: "maxusers", typ: "list-single", label: "Most occupants", options: []string{"10", "20", "50", "100", "none"},
		get: func(c *roomConfig) []string {
			if c.maxOccupants == 0 {
				return []string{"none"}
			}
			return []string{strconv.Itoa(c.maxOccupants)}
		},
		set: setMaxOccupants,
	},
	{
		name: "passwordprotectedroom", typ: "boolean", label: "A password is needed to enter",
		get: func(c *roomConfig) []string { return []string{boolText(c.password != "")} },
		set: func(*roomConfig, []string) bool { return true }, // with the password: see configured
	},
	textField("roomsecret", "text-private", "Password", func(c *roomConfig) *string { return &c.password }),
}

func textField(name, typ, label string, at func(*roomConfig) *string) roomField {
	return roomField{
		name: name, typ: typ, label: label,
		get: func(c *roomConfig) []string { return []string{*at(c)} },
		set: func(c *roomConfig, v []string) bool {
			*at(c) = strings.Join(v, "\n")
			return len(*at(c)) <= maxText
		},
	}
}

func boolField(name, label string, at func(*roomConfig) *bool) roomField {
	return roomField{
		name: name, typ: "boolean", label: label,
		get: func(c *roomConfig) []string { return []string{boolText(*at(c))} },
		set: func(c *roomConfig, v []string) bool {
			on, ok := parseBool(v[0])
			*at(c) = on
			return ok
		},
	}
}

func setPresenceOf(c *roomConfig, values []string) bool {
	c.presenceOf = nil
	for _, role := range roomRoles {
		if slices.Contains(values, string(role)) {
			c.presenceOf = append(c.presenceOf, role)
		}
	}
	return len(c.presenceOf) == len(values)
}

func setMaxOccupants(c *roomConfig, v []string) bool {
	if v[0] == "none" || v[0] == "" {
		c.maxOccupants = 0
		return true
	}
	n, err := strconv.ParseUint(v[0], 10, 31)
	c.maxOccupants = int(n)
	return err == nil && n > 0
}

// configured is a configuration with what a form changes of it; ok is false for a value that cannot be.
// Fields that are not known are left aside.
func (c roomConfig) configured(f form) (_ roomConfig, ok bool) {
	before := c.password
	for _, field := range roomFields {
		values, given := f.fields[fieldPrefix+field.name]
		if !given {
			continue
		}
		if len(values) == 0 && field.typ != "list-multi" {
			values = []string{""}
		}
		if !field.set(&c, values) {
			return c, false
		}
	}
	on, given := f.fields[fieldPrefix+"passwordprotectedroom"]
	if !given || len(on) == 0 {
		return c, true
	}
	protected, ok := parseBool(on[0])
	switch {
	case !protected:
		c.password = ""
	case c.password == "": // it stays the one of before, if there is one
		c.password, ok = before, before != ""
	}
	return c, ok
}

// appendForm writes the form as it is filled in.
func (c *roomConfig) appendForm(b []byte) []byte {
	b = appendForm(b, "form", nsRoomConfig)
	for _, field := range roomFields {
		b = xmppserver.AppendAttr(append(b, "<field"...), "type", field.typ)
		b = xmppserver.AppendAttr(b, "var", fieldPrefix+field.name)
		b = append(xmppserver.AppendAttr(b, "label", field.label), '>')
		for _, v := range field.get(c) {
			b = append(xmppserver.AppendText(append(b, "<value>"...), v), "</value>"...)
		}
		for _, o := range field.options {
			b = append(xmppserver.AppendAttr(append(b, "<option"...), "label", o), '>')
			b = append(xmppserver.AppendTag(b, "value", o), "</option>"...)
		}
		b = append(b, "</field>"...)
	}
	return append(b, "</x>"...)
}
