package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// queryOf reads the query of r, of which only the named parameters may be there. A name
// that ends in "*" may stand more than once. Anything else is refused by its name: a
// misspelt filter must not look like one that found everything.
func queryOf(r *http.Request, allowed ...string) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, perch.Invalid("?", "the query is not well formed")
	}
	for name, values := range q {
		many := slices.Contains(allowed, name+"*")
		if !many && !slices.Contains(allowed, name) {
			return nil, perch.Invalid("?"+escapePointer(strings.ToValidUTF8(name, "")), "is not a parameter of this request")
		}
		if len(values) > 1 && !many {
			return nil, perch.Invalid("?"+name, "stands more than once")
		}
		for _, v := range values {
			if !utf8.ValidString(v) || forbiddenRune(v) != "" {
				return nil, perch.Invalid("?"+name, "must be UTF-8 without control characters")
			}
		}
	}
	return q, nil
}

// flagOf reads a parameter that is 1, true, 0, false or absent.
func flagOf(q url.Values, name string) (bool, error) {
	switch q.Get(name) {
	case "":
		if q.Has(name) {
			return false, perch.Invalid("?"+name, "must be 1 or 0")
		}
		return false, nil
	case "1", "true":
		return true, nil
	case "0", "false":
		return false, nil
	}
	return false, perch.Invalid("?"+name, "must be 1 or 0")
}

// timeOf reads an RFC 3339 parameter; zero when it is absent.
func timeOf(q url.Values, name string) (t perch.Time, err error) {
	if !q.Has(name) {
		return 0, nil
	}
	if t.UnmarshalJSON([]byte(strconv.Quote(q.Get(name)))) != nil {
		return 0, perch.Invalid("?"+name, "must be a time of RFC 3339, such as 2026-01-31T12:00:00Z")
	}
	return t, nil
}

// pathText returns a path parameter without its percent-encoding. See withEscapedPath.
func pathText(r *http.Request, name string) (string, error) {
	s, err := url.PathUnescape(chi.URLParam(r, name))
	if err != nil || !utf8.ValidString(s) || forbiddenRune(s) != "" {
		return "", perch.Invalid("{"+name+"}", "must be percent-encoded UTF-8 without control characters")
	}
	return s, nil
}

// pathJID reads the {jid} of the path: a bare JID, normalised. An address that the
// session already has in its roster or among its invitations is taken as it stands: some
// that servers hand out fail strict parsing, and must still be readable and removable.
func pathJID(r *http.Request) (perch.JID, error) {
	text, err := pathText(r, "jid")
	if err != nil {
		return "", jidError("{jid}", perch.Errorf(perch.KindJIDMalformed, "must be percent-encoded UTF-8 without control characters"))
	}
	if s := sessionFrom(r.Context()); s != nil && knows(s, perch.JID(text)) {
		return perch.JID(text), nil
	}
	return bareJID("{jid}", text)
}

func knows(s *sessions.Session, jid perch.JID) bool {
	if _, err := s.Buddy(jid); err == nil {
		return true
	}
	return slices.ContainsFunc(s.Invitations(), func(i perch.Invitation) bool { return i.JID == jid })
}

// bareJID parses an address that must have no resource; pointer names its field. The
// address of a server, which has no local part, is one too: gateways to other networks
// stand in rosters.
func bareJID(pointer, text string) (perch.JID, error) {
	jid, err := fullJID(pointer, text)
	if err == nil && !jid.IsBare() {
		err = jidError(pointer, perch.Errorf(perch.KindJIDMalformed, "must be a bare JID, without a resource"))
	}
	return jid, err
}

// fullJID parses an address that may have a resource.
func fullJID(pointer, text string) (perch.JID, error) {
	jid, err := perch.ParseJID(text)
	if err != nil {
		return "", jidError(pointer, err)
	}
	return jid, nil
}

// jidError names the field in an error of KindJIDMalformed.
func jidError(pointer string, err error) error {
	e := *kinded(err)
	e.Fields = []perch.FieldError{{Pointer: pointer, Detail: e.Detail}}
	e.Detail = pointer + ": " + e.Detail
	return &e
}

// oneLine checks a short text of a person: a name, a group, a nickname.
func oneLine(pointer, s string, most int) error {
	if utf8.RuneCountInString(s) > most {
		return perch.Invalid(pointer, "must have at most %d characters", most)
	}
	if strings.ContainsAny(s, "\r\n") {
		return perch.Invalid(pointer, "must be one line")
	}
	return nil
}

// jidRequest reads the {jid} of the path and the body of a request without a query.
func jidRequest[T any](r *http.Request, body *T) (perch.JID, error) {
	if _, err := queryOf(r); err != nil {
		return "", err
	}
	jid, err := pathJID(r)
	if err != nil {
		return "", err
	}
	return jid, decodeJSON(r, body)
}

// optionalRequest is jidRequest for a body that may be left out.
func optionalRequest[T any](r *http.Request, body *T) (perch.JID, error) {
	if _, err := queryOf(r); err != nil {
		return "", err
	}
	jid, err := pathJID(r)
	if err != nil {
		return "", err
	}
	_, err = decodeOptional(r, body)
	return jid, err
}
