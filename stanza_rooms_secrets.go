package perch

import (
	"fmt"
	"log/slog"
)

// The password of a room is a text in the types that carry one to it, and none of them shows it: fmt and
// slog give what they say without.

// hidden stands for a password in what is shown.
func hidden(password string) string {
	if password == "" {
		return ""
	}
	return "[secret]"
}

// String is j without its password.
func (j RoomJoinOut) String() string {
	type plain RoomJoinOut
	j.Password = hidden(j.Password)
	return fmt.Sprintf("%+v", plain(j))
}

// GoString keeps %#v from printing the password.
func (j RoomJoinOut) GoString() string { return "perch.RoomJoinOut" + j.String() }

// LogValue never logs the password.
func (j RoomJoinOut) LogValue() slog.Value { return slog.StringValue(j.String()) }

// String is i without its password.
func (i RoomInviteOut) String() string {
	type plain RoomInviteOut
	i.Password = hidden(i.Password)
	return fmt.Sprintf("%+v", plain(i))
}

// GoString keeps %#v from printing the password.
func (i RoomInviteOut) GoString() string { return "perch.RoomInviteOut" + i.String() }

// LogValue never logs the password.
func (i RoomInviteOut) LogValue() slog.Value { return slog.StringValue(i.String()) }

// String is b without its password.
func (b RoomBookmark) String() string {
	type plain RoomBookmark
	b.Password = hidden(b.Password)
	return fmt.Sprintf("%+v", plain(b))
}

// GoString keeps %#v from printing the password.
func (b RoomBookmark) GoString() string { return "perch.RoomBookmark" + b.String() }

// LogValue never logs the password.
func (b RoomBookmark) LogValue() slog.Value { return slog.StringValue(b.String()) }
