// Package static has files that are ready to be sent: whole, compressed once, and with the tags by which
// a client asks whether they have changed. What they are, and who may see them, it does not know.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// File is an answer that does not change while the program runs, in two representations. Any number of
// goroutines may serve it.
type File struct {
	mediaType string
	forms     func() forms
}

// forms are the representations of a file.
type forms struct {
	plain  []byte // nil when it is made of packed for each client that takes no gzip
	packed []byte // gzip, or nil where that is no smaller
	size   int    // of the plain file
	tag    string // of the plain file, without quotes
}

// New makes a File, which is compressed when it is asked for first: a program starts no later for what
// may never be read. The body must not be changed afterwards.
func New(body []byte, mediaType string) *File {
	return &File{mediaType, sync.OnceValue(func() forms {
		sum := sha256.Sum256(body)
		made := forms{plain: body, size: len(body), tag: tagOf(sum[:])}
		if packed := compress(body); len(packed) < len(body) {
			made.packed = packed
		}
		return made
	})}
}

// Packed makes a File of what gzip has compressed already, and keeps nothing else of it: what is large
// enough to be stored like that is asked for without gzip by hardly anybody.
func Packed(packed []byte, mediaType string) (*File, error) {
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("static: not gzip: %w", err)
	}
	sum := sha256.New()
	n, err := io.Copy(sum, zip)
	if err != nil {
		return nil, fmt.Errorf("static: broken gzip: %w", err)
	}
	made := forms{packed: packed, size: int(n), tag: tagOf(sum.Sum(nil))}
	return &File{mediaType, func() forms { return made }}, nil
}

func tagOf(sum []byte) string { return hex.EncodeToString(sum[:8]) }

func compress(body []byte) []byte {
	var b bytes.Buffer
	zip, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // a level that there is
	_, _ = zip.Write(body)                                  // a buffer takes everything
	_ = zip.Close()
	return b.Bytes()
}

// ServeHTTP implements http.Handler for GET and HEAD: 200 with the representation that the client
// takes, or 304 when it has that one. The caller has set the headers that say how long it may be kept and
// what a page may do.
func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.serve(w, r, http.StatusOK) }

// ServeError is ServeHTTP with the status of an error. An error has no tag: it is the answer of many
// addresses, and there is nothing at any of them.
func (f *File) ServeError(w http.ResponseWriter, r *http.Request, status int) { f.serve(w, r, status) }

func (f *File) serve(w http.ResponseWriter, r *http.Request, status int) {
	h, forms, zipped := w.Header(), f.forms(), false
	h.Set("X-Content-Type-Options", "nosniff")
	if forms.packed != nil {
		h.Add("Vary", "Accept-Encoding")
		zipped = acceptsGzip(r.Header)
	}
	if status == http.StatusOK {
		tag := forms.tagFor(zipped)
		h.Set("ETag", tag)
		if matches(r.Header, tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	size := forms.size
	if zipped {
		size = len(forms.packed)
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", f.mediaType)
	h.Set("Content-Length", strconv.Itoa(size))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_ = forms.write(w, zipped) // a client that has left needs no answer
	}
}

// tagFor is the entity tag: another representation has another tag (RFC 9110, 8.8.3.3).
func (f forms) tagFor(zipped bool) string {
	if zipped {
		return `"` + f.tag + `-gzip"`
	}
	return `"` + f.tag + `"`
}

func (f forms) write(w io.Writer, zipped bool) error {
	body := f.plain
	if zipped {
		body = f.packed
	}
	if body != nil {
		_, err := w.Write(body)
		return err
	}
	zip, err := gzip.NewReader(bytes.NewReader(f.packed))
	if err != nil {
		return err
	}
	_, err = io.Copy(w, zip)
	return err
}
