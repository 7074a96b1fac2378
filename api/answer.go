package api

import (
	"encoding/json"
	"net/http"

	"github.com/perch-im/perch"
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
	body, err := json.Marshal(v)
	if err != nil {
		return perch.Wrap(perch.KindInternal, err, "")
	}
	writeBody(w, status, body)
	return nil
}

// writeBody answers with JSON that is encoded already.
func writeBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that has left needs no answer
}

// done answers 204 when a change was made.
func done(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}
