package today

import (
	"slices"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// maxPrefs bounds each of the two lists of preferences.
const maxPrefs = 200

// prefs are what an account wants to have archived (XEP-0441). The zero value is everything.
type prefs struct {
	fallback      string // always, never, roster; "": always
	always, never []string
}

// wants reports whether messages with a bare JID are archived.
func (p *prefs) wants(a *account, bare string) bool {
	switch {
	case slices.Contains(p.always, bare):
		return true
	case slices.Contains(p.never, bare):
		return false
	case p.fallback == "never":
		return false
	case p.fallback == "roster":
		k := a.Contact(bare)
		return bare == a.Bare || k != nil && (k.To || k.From)
	}
	return true
}

// archivePrefs answers with the preferences, or sets them first.
func archivePrefs(r *request) {
	if !r.own() {
		r.denyArchive()
		return
	}
	p := &r.from.acct.prefs
	if r.set {
		set, condition := parsePrefs(r.payload)
		if condition != "" {
			r.fail(condition)
			return
		}
		*p = set
	}
	fallback := p.fallback
	if fallback == "" {
		fallback = "always"
	}
	b := xmppserver.AppendAttr([]byte("<prefs xmlns='"+nsMAM+"'"), "default", fallback)
	b = appendPrefs(append(b, '>'), "always", p.always)
	b = appendPrefs(b, "never", p.never)
	r.result(append(b, "</prefs>"...))
}

func appendPrefs(b []byte, name string, list []string) []byte {
	b = append(append(append(b, '<'), name...), '>')
	for _, j := range list {
		b = xmppserver.AppendTag(b, "jid", j)
	}
	return append(append(append(b, "</"...), name...), '>')
}

// parsePrefs returns the condition of a stanza error, or "".
func parsePrefs(e *xmppserver.Element) (p prefs, condition string) {
	p.fallback = e.Get("default")
	if !slices.Contains([]string{"always", "never", "roster"}, p.fallback) {
		return p, "bad-request"
	}
	for name, list := range map[string]*[]string{"always": &p.always, "never": &p.never} {
		part := e.Child(nsMAM, name)
		if part == nil {
			continue
		}
		for _, k := range part.Elements() {
			j, err := perch.ParseJID(k.Text())
			switch {
			case err != nil:
				return p, "jid-malformed"
			case len(*list) == maxPrefs:
				return p, "resource-constraint"
			}
			*list = append(*list, string(j.Bare()))
		}
	}
	return p, ""
}
