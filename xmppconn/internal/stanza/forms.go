package stanza

import (
	"slices"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// What is taken of one form. A form is asked for by one who fills it in, and no service has half as much.
const (
	maxFormFields = 256
	maxFormBytes  = 64 << 10
)

// form is a data form (XEP-0004) as it came, or as it is to be submitted.
type form []formField

type formField struct {
	name   string
	typ    string // such as "boolean" or "list-multi"; "" where the service does not say
	values []string
}

// parseForm reads the fields that have a name and may be filled in. Of two of one name the first counts.
// El may be nil. The cause of the error is perch.ErrAnswerTooLarge.
func parseForm(el *xmlstream.Element) (form, error) {
	var f form
	bytes := 0
	for _, c := range el.Children() {
		name, typ := c.Attr("var"), c.Attr("type")
		if !c.Is(nsForms, "field") || name == "" || typ == "fixed" || f.field(name) != nil {
			continue
		}
		field := formField{name: strings.Clone(name), typ: strings.Clone(typ)}
		bytes += len(name) + len(typ)
		for _, v := range c.Children() {
			if v.Is(nsForms, "value") {
				field.values = append(field.values, strings.Clone(v.Text()))
				bytes += 16 + len(v.Text())
			}
		}
		if f = append(f, field); len(f) > maxFormFields || bytes > maxFormBytes {
			return nil, perch.Wrap(perch.KindXMPP, perch.ErrAnswerTooLarge, "the form exceeds the limits of this gateway")
		}
	}
	return f, nil
}

// field is the one with a name; nil: there is none.
func (f form) field(name string) *formField {
	if i := slices.IndexFunc(f, func(field formField) bool { return field.name == name }); i >= 0 {
		return &f[i]
	}
	return nil
}

// text is the value of a field that has one.
func (f *formField) text() string {
	if f == nil || len(f.values) == 0 {
		return ""
	}
	return f.values[0]
}

// lines is the value of a field of text: each line may be a value of its own (XEP-0004, 3.3).
func (f *formField) lines() string { return strings.Join(f.values, "\n") }

// split is how a text is written into the field.
func (f *formField) split(values []string) []string {
	if f.typ != "text-multi" || len(values) != 1 {
		return values
	}
	return strings.Split(values[0], "\n")
}

// truth is the value of a boolean (XEP-0004, 3.3).
func (f *formField) truth() bool {
	v := strings.TrimSpace(f.text())
	return v == "1" || v == "true"
}

func truthValue(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// form writes a form that is submitted. Only the values of fields come from outside, and their names
// as a service gave them: field makes the pointer of an error of it.
func (w *writer) form(kind string, f form, field func(name string) string) {
	w.Raw("<x xmlns='" + nsForms + "' type='submit'><field var='FORM_TYPE' type='hidden'><value>" + kind + "</value></field>")
	for _, one := range f {
		pointer := field(one.name)
		w.Raw("<field")
		w.Attr(pointer, "var", one.name)
		w.Raw(">")
		for _, v := range one.values {
			w.Raw("<value>")
			w.Text(pointer, v)
			w.Raw("</value>")
		}
		w.Raw("</field>")
	}
	w.Raw("</x>")
}
