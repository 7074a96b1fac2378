package xmppconn

// element is one parsed XML element. Namespaces are resolved. Trees of parseElement own
// their memory and may be kept; the trees that decodeFrame borrows may not.
type element struct {
	space, local string
	attrs        []attr
	text         string // character data directly inside, joined
	children     []*element
}

type attr struct{ space, local, value string }

// nsContext is what the stream header declares: the default namespace and prefixes.
type nsContext struct {
	def      string
	bindings []nsBinding
}

type nsBinding struct{ prefix, uri string }

// parseElement parses one whole element. The error is a *framingError.
func parseElement(raw []byte, ctx nsContext) (*element, error) { panic("unreachable") }

// child returns the first child with this name, or nil. Space "" matches the element's own
// namespace.
func (e *element) child(space, local string) *element { panic("unreachable") }

// is says whether e is there and has this name.
func (e *element) is(space, local string) bool { panic("unreachable") }

// attr returns the value of an attribute without namespace, or "".
func (e *element) attr(local string) string { panic("unreachable") }

// attrNS returns the value of an attribute in a namespace, and whether it is there.
func (e *element) attrNS(space, local string) (string, bool) { panic("unreachable") }

// childText returns the text of the first child with this name, or "". Nil-safe.
func (e *element) childText(space, local string) string { panic("unreachable") }
