package api

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"unicode/utf8"

	"github.com/perch-im/perch"
)

// Bounds of a page.
const (
	defaultLimit = 50
	maxLimit     = 200
)

// page is the part of a sorted list that a client asks for: at most limit items after the
// one whose key is after. A key, unlike an offset, stays right when the list changes
// between two pages.
type page struct {
	limit int
	after string
}

func pageOf(q url.Values) (p page, err error) {
	if p.limit, err = limitOf(q); err != nil {
		return page{}, err
	}
	if q.Has("cursor") {
		p.after, err = parseCursor(q.Get("cursor"))
	}
	return p, err
}

func limitOf(q url.Values) (int, error) {
	if !q.Has("limit") {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n < 1 || n > maxLimit {
		return 0, perch.Invalid("?limit", "must be a whole number from 1 to %d", maxLimit)
	}
	return n, nil
}

// cursorMark is before the key in every cursor, so that text that happens to be base64 is not
// taken for one.
const cursorMark = "a\x00"

func makeCursor(key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorMark + key))
}

// parseCursor reads what makeCursor wrote, in exactly the form that it writes.
func parseCursor(s string) (string, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	key := string(b)
	if err != nil || len(key) <= len(cursorMark) || key[:len(cursorMark)] != cursorMark || len(key) > 4096 ||
		!utf8.ValidString(key) || makeCursor(key[len(cursorMark):]) != s {
		return "", perch.Invalid("?cursor", "is not a cursor of this list; begin without one")
	}
	return key[len(cursorMark):], nil
}

// cut returns the page of a list that is sorted by key. next is the cursor of the page after it,
// or nil.
func cut[T any](p page, list []T, key func(T) string) (items []T, next *string) {
	items = make([]T, 0, min(p.limit, len(list)))
	for _, v := range list {
		if p.after != "" && key(v) <= p.after {
			continue
		}
		if len(items) == p.limit {
			c := makeCursor(key(items[p.limit-1]))
			return items, &c
		}
		items = append(items, v)
	}
	return items, nil
}

// linkPage announces another page (RFC 8288): the same request with the given parameters
// in place of its own.
func linkPage(w http.ResponseWriter, r *http.Request, rel string, set map[string]string, drop ...string) {
	q := r.URL.Query()
	for _, name := range drop {
		q.Del(name)
	}
	for name, value := range set {
		q.Set(name, value)
	}
	w.Header().Add("Link", "<"+r.URL.EscapedPath()+"?"+q.Encode()+`>; rel="`+rel+`"`)
}
