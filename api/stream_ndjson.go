package api

import (
	"net/http"

	"github.com/perch-im/perch"
)

// ndjsonEncoder writes one envelope a line: the JSON of an envelope has no line break of
// its own.
type ndjsonEncoder struct{ *lineWriter }

func (a *API) serveNDJSON(w http.ResponseWriter, r *http.Request, st *stream) {
	l, restore := a.lineStream(w, r)
	defer restore()
	streamHeaders(w.Header(), mediaNDJSON)
	st.serveLines(r, l, ndjsonEncoder{l}, "ndjson")
}

var newline = []byte("\n")

func (e ndjsonEncoder) event(ev *perch.Event) error { return e.frame(ev.Wire, newline) }
