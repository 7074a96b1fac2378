package api

import (
	"encoding/json"
	"net/http"
	"sync"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/jsonappend"
)

// Values of headers that answers share. Nobody changes a value that is there: Set replaces it, and Add
// makes another list.
var (
	mediaJSON  = []string{"application/json"}
	noStore    = []string{"no-store"}
	noSniff    = []string{"nosniff"}
	noReferrer = []string{"no-referrer"}
)

// handler answers a request, or writes nothing and returns an error.
type handler func(w http.ResponseWriter, r *http.Request) error

// wrap makes an http.Handler of a handler: its error becomes a problem.
func (a *API) wrap(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			a.writeProblem(w, r, err)
		}
	}
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, status int, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return perch.Wrap(perch.KindInternal, err, "")
	}
	(&body{text}).write(w, status)
	return nil
}

// writeAppended is writeJSON for what is asked for often, and appends itself. That a value does so is
// said here, and not found out: a struct would have the method of one that is embedded in it.
func writeAppended(w http.ResponseWriter, status int, v jsonappend.Value) {
	body := newBody()
	defer body.release()
	body.b = v.AppendJSON(body.b)
	body.write(w, status)
}

// body is the JSON of an answer. Its memory is used again for the next one.
type body struct{ b []byte }

// maxBody is how large a body may have been to be used again, in bytes.
const maxBody = 64 << 10

var bodies = sync.Pool{New: func() any { return &body{make([]byte, 0, 1024)} }}

// newBody returns an empty body; release must follow.
func newBody() *body { return bodies.Get().(*body) }

func (b *body) release() {
	if cap(b.b) <= maxBody {
		b.b = b.b[:0]
		bodies.Put(b)
	}
}

// write answers with what is encoded, which is never compressed: a list has the texts of several people, and
// the length of a compressed answer says something about what they have in common. Whoever may write to an
// account and sees how long its answers are could guess in this way what others have written (CRIME, BREACH).
func (b *body) write(w http.ResponseWriter, status int) {
	w.Header()["Content-Type"] = mediaJSON
	w.WriteHeader(status)
	b.b = append(b.b, '\n')
	_, _ = w.Write(b.b) // a client that has left needs no answer
}

// done answers 204 when a change was made.
func done(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}
