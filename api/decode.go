package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/strictjson"
)

// decodeJSON reads the body of r, one JSON object in UTF-8, into a struct: see
// strictjson.Decode.
func decodeJSON[T any](r *http.Request, into *T) error {
	present, err := decodeOptional(r, into)
	if err == nil && !present {
		return perch.Errorf(perch.KindMalformedJSON, "the body must be a JSON object")
	}
	return err
}

// decodeOptional is decodeJSON for requests that may come without a body.
func decodeOptional[T any](r *http.Request, into *T) (present bool, err error) {
	body, err := readBody(r)
	if err != nil || len(body) == 0 {
		return false, err
	}
	if err := checkMediaType(r); err != nil {
		return true, err
	}
	return true, strictjson.Decode(body, into)
}

// readBody reads the body of r to its end, within the limit of withBodyLimit.
func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		return body, nil
	}
	return nil, bodyError(err)
}

// bodyError is for a body that did not come to its end within its limits.
func bodyError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	return perch.Wrap(perch.KindMalformedJSON, err, "the body could not be read to its end")
}

func checkMediaType(r *http.Request) error {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	ok := err == nil && (media == "application/json" || media == "application/merge-patch+json" && r.Method == http.MethodPatch)
	if charset := params["charset"]; charset != "" && !isUTF8Label(charset) {
		ok = false
	}
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		ok = false
	}
	if !ok {
		return perch.Errorf(perch.KindUnsupportedMedia, "the body must be application/json in UTF-8, without a content encoding")
	}
	return nil
}
