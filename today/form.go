package today

import (
	"strings"

	"github.com/perch-im/perch/internal/xmppserver"
)

const nsForms = "jabber:x:data"

// form is what a client has filled in (XEP-0004). Its size is bounded by that of a stanza.
type form struct {
	kind   string              // FORM_TYPE (XEP-0068)
	fields map[string][]string // values by name, without FORM_TYPE
}

// parseForm reads a form of type submit. It reports false for anything else, for a field without a
// name, and for one that is there twice.
func parseForm(x *xmppserver.Element) (form, bool) {
	if x == nil || x.Name.Space != nsForms || x.Name.Local != "x" || x.Get("type") != "submit" {
		return form{}, false
	}
	f := form{fields: make(map[string][]string)}
	for _, k := range x.Elements() {
		if k.Name.Space != nsForms || k.Name.Local != "field" {
			continue
		}
		name := k.Get("var")
		if _, twice := f.fields[name]; twice || name == "" {
			return form{}, false
		}
		values := []string{}
		for _, v := range k.Elements() {
			if v.Name.Space == nsForms && v.Name.Local == "value" {
				values = append(values, v.Text())
			}
		}
		f.fields[name] = values
	}
	f.kind = f.text("FORM_TYPE")
	delete(f.fields, "FORM_TYPE")
	return f, true
}

// text is the first value of a field, without white space around it.
func (f form) text(name string) string {
	if v := f.fields[name]; len(v) > 0 {
		return strings.TrimSpace(v[0])
	}
	return ""
}

// appendForm begins a form of a kind; the caller writes </x>.
func appendForm(b []byte, typ, kind string) []byte {
	b = xmppserver.AppendAttr(append(b, "<x xmlns='"+nsForms+"'"...), "type", typ)
	return appendField(append(b, '>'), "hidden", "FORM_TYPE", kind)
}

// appendField writes one field with its values.
func appendField(b []byte, typ, name string, values ...string) []byte {
	b = append(b, "<field"...)
	if typ != "" {
		b = xmppserver.AppendAttr(b, "type", typ)
	}
	b = append(xmppserver.AppendAttr(b, "var", name), '>')
	for _, v := range values {
		b = append(xmppserver.AppendText(append(b, "<value>"...), v), "</value>"...)
	}
	return append(b, "</field>"...)
}

// appendOptions writes a field of type list-single with what it may be.
func appendOptions(b []byte, name, value string, options ...string) []byte {
	b = xmppserver.AppendAttr(append(b, "<field type='list-single'"...), "var", name)
	b = append(xmppserver.AppendText(append(b, "><value>"...), value), "</value>"...)
	for _, o := range options {
		b = append(xmppserver.AppendText(append(b, "<option><value>"...), o), "</value></option>"...)
	}
	return append(b, "</field>"...)
}
