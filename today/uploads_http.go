package today

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const uploadPath = "/upload/"

// Bounds of requests with a file.
const (
	maxPuts  = 8               // at a time: each has its file in memory
	fileTime = 2 * time.Minute // for one request
)

// routes are the requests for files. A page of any origin may make them (XEP-0363, 10).
func (u *uploads) routes(mux *http.ServeMux) {
	path := uploadPath + "{key}/{name}"
	mux.HandleFunc("OPTIONS "+path, func(w http.ResponseWriter, _ *http.Request) {
		allowOrigins(w.Header())
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("PUT "+path, u.servePut)
	mux.HandleFunc("GET "+path, u.serveGet) // and HEAD
}

func allowOrigins(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, PUT, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Range")
	h.Set("Access-Control-Expose-Headers", "Content-Length, Content-Range, Content-Disposition")
	h.Set("Access-Control-Max-Age", "7200")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("X-Content-Type-Options", "nosniff")
}

// refusal is an answer that is no success; its text says what to do.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

// servePut takes the one file of a slot (XEP-0363, 6).
func (u *uploads) servePut(w http.ResponseWriter, r *http.Request) {
	allowOrigins(w.Header())
	f, err := u.take(r)
	if err == nil {
		err = u.receive(w, r, f)
	}
	var no *refusal
	switch {
	case errors.As(err, &no):
		w.Header().Set("Connection", "close") // what comes of the body is not read
		http.Error(w, no.text, no.status)
	case err == nil:
		w.WriteHeader(http.StatusCreated)
	}
}

// take finds the slot of a request and keeps others from it.
func (u *uploads) take(r *http.Request) (*file, error) {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	u.expire()
	f := u.files[r.PathValue("key")]
	typ := r.Header.Get("Content-Type")
	switch {
	case f == nil:
		return nil, &refusal{http.StatusNotFound, "no such slot; ask for another one"}
	case f.taken:
		return nil, &refusal{http.StatusConflict, "the slot has been used; ask for another one"}
	case r.ContentLength < 0:
		return nil, &refusal{http.StatusLengthRequired, "Content-Length: it is required"}
	case r.ContentLength != int64(f.size):
		return nil, &refusal{http.StatusRequestEntityTooLarge, "Content-Length: the slot is for " + strconv.Itoa(f.size) + " bytes"}
	case f.typ != "" && typ != "" && mediaType(typ) != mediaType(f.typ):
		return nil, &refusal{http.StatusUnsupportedMediaType, "Content-Type: the slot is for " + f.typ}
	case u.puts >= maxPuts:
		return nil, &refusal{http.StatusServiceUnavailable, "too many uploads at once; try again"}
	}
	if f.typ == "" {
		f.typ = mediaType(typ)
	}
	f.taken = true
	u.puts++
	return f, nil
}

// receive reads a file. A slot whose file did not come as a whole can be used once more.
func (u *uploads) receive(w http.ResponseWriter, r *http.Request, f *file) error {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(fileTime))
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(f.size)))
	if err == nil && len(content) != f.size {
		err = io.ErrUnexpectedEOF
	}
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	u.puts--
	if err != nil {
		f.taken = false
		return &refusal{http.StatusBadRequest, "the file has not come as a whole; send it again"}
	}
	f.content, f.done = content, true
	return nil
}

// serveGet gives a file back, or a part of it. What a browser could run is only to be saved.
func (u *uploads) serveGet(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	allowOrigins(h)
	u.s.mu.Lock()
	f := u.files[r.PathValue("key")]
	if f != nil && !f.done {
		f = nil
	}
	u.s.mu.Unlock()
	if f == nil {
		http.Error(w, "no such file; the service keeps the newest ones alone", http.StatusNotFound)
		return
	}
	typ := mediaType(f.typ)
	if typ == "" {
		typ = "application/octet-stream"
	}
	h.Set("Content-Type", typ)
	disposition := "attachment"
	if harmless(typ) {
		disposition = "inline"
	}
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": f.name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(fileTime))
	http.ServeContent(w, r, "", f.at, bytes.NewReader(f.content))
}

// harmless reports whether a browser may show a type as it is.
func harmless(typ string) bool {
	name, _, _ := strings.Cut(typ, ";")
	switch name {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "text/plain":
		return true
	}
	return strings.HasPrefix(name, "audio/") || strings.HasPrefix(name, "video/")
}
