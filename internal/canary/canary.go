// Package canary lets one program look, after the whole suite, for every secret that the
// tests have used in everything that they have written. It is for tests only.
//
// Tests make their tokens and passwords with [Secret], or begin them with [Mark], so that
// one text finds them all; what they cannot make they [Note]. Their fixtures log to
// [Logger], which keeps every level, and hand over the answers and pages that they read.
// All of that goes into files of the folder that the environment names in CANARY_DIR, as
// make test does; without it nothing is kept. internal/canary/check looks into them.
//
// The tokens of the demo are published in the guides and no secrets.
package canary

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
)

// Mark is in every secret of the tests. It is base64 of whole octets, so that a token that
// begins with it can be canonical base64, as some servers want it.
const Mark = "PerchCanary0"

// shortest is how short a secret may be, in octets, that is looked for as a whole.
const shortest = 8

// Secret makes a unique token or password: 44 characters of base64.
func Secret() string {
	raw := make([]byte, 24)
	_, _ = rand.Read(raw) // never fails
	s := Mark + base64.StdEncoding.EncodeToString(raw)
	Note(s)
	return s
}

// Note adds secrets that were made elsewhere, such as those of a foreign server.
func Note(secrets ...string) {
	for _, s := range secrets {
		if len(s) < shortest {
			panic(fmt.Sprintf("canary: a secret of %d octets cannot be told from other text", len(s)))
		}
		capture.write("secrets", []byte(base64.StdEncoding.EncodeToString([]byte(s))))
	}
}

// Logger keeps every line of every level, with its place in the sources. The handlers get
// the lines too, at the levels that they are for.
func Logger(also ...slog.Handler) *slog.Logger {
	if capture.dir() == "" {
		return slog.New(slog.NewMultiHandler(also...))
	}
	h := slog.NewJSONHandler(Output(), &slog.HandlerOptions{AddSource: true, Level: slog.LevelDebug - 4})
	return slog.New(slog.NewMultiHandler(append(also, h)...))
}

// Output keeps the log of a program, written in whole lines.
func Output() io.Writer { return writer("log") }

// Answer keeps what a client was refused with: the header and the body.
func Answer(what string, header http.Header, body []byte) {
	capture.write("answers", fmt.Appendf(nil, "%s%s %v %s", Entry, what, header, body))
}

// Page keeps a page of the admin listener, such as /metrics.
func Page(what string, body []byte) {
	capture.write("pages", fmt.Appendf(nil, "%s%s\n%s", Entry, what, body))
}

// Entry begins each answer and page, so that they can be counted.
const Entry = "== "

type writer string

// Write implements io.Writer.
func (w writer) Write(p []byte) (int, error) {
	capture.write(string(w), p)
	return len(p), nil
}
