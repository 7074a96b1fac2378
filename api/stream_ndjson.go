package api

import (
	"github.com/perch-im/perch"
)

// ndjsonEncoding writes one envelope a line: the JSON of an envelope has no line break of
// its own.
var ndjsonEncoding = lineEncoding{
	media: mediaNDJSON,
	frame: ndjsonFrame,
	on:    func(l *lineWriter) encoder { return ndjsonEncoder{l} },
}

var newline = []byte("\n")

func ndjsonFrame(b []byte, ev *perch.Event) []byte { return append(append(b, ev.Wire...), newline...) }

// ndjsonEncoder writes into the body of a response.
type ndjsonEncoder struct{ *lineWriter }

func (e ndjsonEncoder) event(ev *perch.Event) error { return e.frame(ev.Wire, newline) }
