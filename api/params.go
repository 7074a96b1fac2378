package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/strictjson"
	"github.com/perch-im/perch/sessions"
)

// queryOf reads the query of r, which may have only the named parameters. One whose name ends
// in "*" may be repeated. Anything else is refused by its name: a misspelt filter must not look
// like one that matches everything.
func queryOf(r *http.Request, allowed ...string) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, perch.Invalid("?", "the query is not well formed")
	}
	for name, values := range q {
		if name == upstreamParam && sessions.NamesUpstream(r.Context()) {
			continue // of every operation of a session
		}
		many := slices.Contains(allowed, name+"*")
		if !many && !slices.Contains(allowed, name) {
			return nil, perch.Invalid("?"+strictjson.EscapePointer(strings.ToValidUTF8(name, "")), "is not a parameter of this request")
		}
		if len(values) > 1 && !many {
			return nil, perch.Invalid("?"+name, "must not be repeated")
		}
		for _, v := range values {
			if !utf8.ValidString(v) || strictjson.ForbiddenRune(v) != "" {
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
	if err != nil || !utf8.ValidString(s) || strictjson.ForbiddenRune(s) != "" {
		return "", perch.Invalid("{"+name+"}", "must be percent-encoded UTF-8 without control characters")
	}
	return s, nil
}

// pathJID reads the {jid} of the path: the bare JID of an account.
func pathJID(r *http.Request) (perch.JID, error) {
	return pathAddressBy(r, accountOf)
}

// pathAddress is pathJID for requests whose address may have a resource.
func pathAddress(r *http.Request) (perch.JID, error) {
	return pathAddressBy(r, addressOf)
}

func pathAddressBy(r *http.Request, read func(*sessions.Session, string, string) (perch.JID, error)) (perch.JID, error) {
	text, err := pathText(r, "jid")
	if err != nil {
		return "", jidError("{jid}", perch.Errorf(perch.KindJIDMalformed, "must be percent-encoded UTF-8 without control characters"))
	}
	return read(sessionFrom(r.Context()), "{jid}", text)
}

// addressOf reads an address from a request; pointer names its field. All requests use it,
// so that what one accepts every other one does.
//
// A valid JID is normalised. An address that the session has from the upstream is accepted as it
// is: some that servers give fail strict parsing. A resource stays as it is, as long as it can
// be written: nicknames of rooms may follow a newer version of Unicode than this program, and
// the room checks them.
func addressOf(s *sessions.Session, pointer, text string) (perch.JID, error) {
	jid := perch.JID(text)
	if jid.Plain() {
		return jid, nil
	}
	bare, resource, full := strings.Cut(text, "/")
	account, err := bareAddress(s, bare)
	switch {
	case err != nil:
	case !full:
		return account, nil
	case writable(resource):
		return account + "/" + perch.JID(resource), nil
	default:
		err = perch.Errorf(perch.KindJIDMalformed, "the resource must be 1 to 1023 octets of UTF-8 without control characters")
	}
	return "", jidError(pointer, err)
}

// bareAddress reads the part of an address before its resource.
func bareAddress(s *sessions.Session, text string) (perch.JID, error) {
	parsed, err := perch.ParseJID(text)
	if err == nil && string(parsed) == text || s == nil || text == "" || !utf8.ValidString(text) {
		return parsed, err
	}
	if known, ok := s.Known(perch.JID(text)); ok {
		return known, nil
	}
	return parsed, err
}

// writable reports whether a resource can be part of an address that is sent.
func writable(resource string) bool {
	return resource != "" && len(resource) <= 1023 && utf8.ValidString(resource) && strictjson.ForbiddenRune(resource) == "" &&
		strings.IndexFunc(resource, unicode.IsControl) < 0
}

// accountOf is addressOf for the address of an account, which has no resource. The address
// of a server, which has no local part, is one too: rosters contain gateways to other networks.
func accountOf(s *sessions.Session, pointer, text string) (perch.JID, error) {
	jid, err := addressOf(s, pointer, text)
	if err == nil && !jid.IsBare() {
		err = jidError(pointer, perch.Errorf(perch.KindJIDMalformed, "must be a bare JID, without a resource"))
	}
	if err != nil {
		return "", err
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

// oneLine checks a short text of a user, such as a name, a group or a nickname.
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
	return bodyRequest(r, pathJID, body)
}

// addressRequest is jidRequest for an address that may have a resource.
func addressRequest[T any](r *http.Request, body *T) (perch.JID, error) {
	return bodyRequest(r, pathAddress, body)
}

func bodyRequest[T any](r *http.Request, path func(*http.Request) (perch.JID, error), body *T) (perch.JID, error) {
	if _, err := queryOf(r); err != nil {
		return "", err
	}
	jid, err := path(r)
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
