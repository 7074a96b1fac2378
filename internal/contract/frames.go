package contract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/perch-im/perch/internal/canary"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Frame holds one frame of the event stream against asyncapi.yaml: an event, or a command
// that was accepted.
func Frame(t TB, frame []byte) {
	t.Helper()
	if err := checkFrame(frame); err != nil {
		t.Errorf("%v", err)
	}
}

func checkFrame(frame []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(frame))
	if err != nil {
		return fmt.Errorf("contract: a frame that is no JSON: %w: %.200q", err, frame)
	}
	object, _ := v.(map[string]any)
	typ, _ := object["type"].(string)
	if typ == "error" {
		canary.Answer("frame", nil, frame)
	}
	schema, ok := load().commands[typ]
	if _, told := object["time"]; told || !ok {
		schema, ok = load().frames[typ]
	}
	if !ok {
		return fmt.Errorf("contract: asyncapi.yaml has no frame of the type %q: %.200s", typ, frame)
	}
	if err := schema.Validate(v); err != nil {
		return fmt.Errorf("contract: %s is not as in asyncapi.yaml: %w\n%.1000s", typ, err, frame)
	}
	return nil
}

// lineReader passes the body of a stream on, and holds every frame in it against
// asyncapi.yaml once it is whole.
type lineReader struct {
	io.ReadCloser
	t    TB
	sse  bool
	rest []byte // of a line that is not whole yet
}

func (r *lineReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.rest = append(r.rest, p[:n]...)
	for {
		line, rest, whole := bytes.Cut(r.rest, []byte("\n"))
		if !whole {
			break
		}
		r.line(string(line))
		r.rest = rest
	}
	if errors.Is(err, io.EOF) && len(r.rest) > 0 && !r.sse {
		r.t.Errorf("contract: a stream ended in the middle of a line")
	}
	return n, err
}

func (r *lineReader) line(line string) {
	if r.sse {
		var data bool
		if line, data = strings.CutPrefix(line, "data: "); !data {
			return
		}
	}
	Frame(r.t, []byte(line))
}
