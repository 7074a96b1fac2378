package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/jsonappend"
)

// etagOf makes a strong tag from the content of an answer, not from a counter: it stays right
// across restarts, filters and pages.
func etagOf(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", perch.Wrap(perch.KindInternal, err, "")
	}
	return tagOf(b), nil
}

// tagOf is the tag of an answer that is encoded already.
func tagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}

// notModified sets the tag, and answers 304 if the client has the same content
// (RFC 9110, 13.1.2; the comparison is weak, as it must be for GET).
func notModified(w http.ResponseWriter, r *http.Request, etag string) bool {
	w.Header()["Etag"] = []string{etag} // as net/http writes ETag
	for _, line := range r.Header.Values("If-None-Match") {
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == etag || tag == "*" {
				w.WriteHeader(http.StatusNotModified)
				return true
			}
		}
	}
	return false
}

// writeTagged is writeJSON with an ETag and 304.
func writeTagged(w http.ResponseWriter, r *http.Request, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return perch.Wrap(perch.KindInternal, err, "")
	}
	if !notModified(w, r, tagOf(text)) {
		(&body{text}).write(w, http.StatusOK)
	}
	return nil
}

// writeTaggedAppended is writeTagged of what writeAppended writes.
func writeTaggedAppended(w http.ResponseWriter, r *http.Request, v jsonappend.Value) error {
	body := newBody()
	defer body.release()
	body.b = v.AppendJSON(body.b)
	if !notModified(w, r, tagOf(body.b)) {
		body.write(w, http.StatusOK)
	}
	return nil
}

// writeTaggedBy is writeTagged with a tag that is made of content: v without what changes while
// the resource does not, such as the time of the answer.
func writeTaggedBy(w http.ResponseWriter, r *http.Request, v, content any) error {
	etag, err := etagOf(content)
	if err != nil {
		return err
	}
	if notModified(w, r, etag) {
		return nil
	}
	return writeJSON(w, http.StatusOK, v)
}
