package xmlstream

// Error ends a stream: the other side sent what is not XMPP, or more than the stream allows.
// Condition is the stream error of RFC 6120, 4.9.3 to send.
type Error struct {
	Condition string
	Detail    string
	More      string // an application's own condition beside it (RFC 6120, 4.9.4), as XML
}

// Error gives the condition and the detail.
func (e *Error) Error() string { return "xmpp stream: " + e.Condition + ": " + e.Detail }

func notWellFormed(detail string) error {
	return &Error{Condition: "not-well-formed", Detail: detail}
}

func restricted(detail string) error {
	return &Error{Condition: "restricted-xml", Detail: detail}
}
