package contract_test

import (
	"encoding/json"
	"testing"

	"github.com/perch-im/perch/internal/contract"
)

// FuzzFrame: whatever comes as a frame, there is no panic, and what is accepted is an object with
// a type.
func FuzzFrame(f *testing.F) {
	for _, frame := range []string{removed, live, problem, `{"type":"live","time":"2026-01-31T12:00:00.000Z","data":{"tip":"e-0"}}`,
		`{"id":"c1","type":"message.send","data":{"to":"a@b","body":"x"}}`, `{"type":"error","error":{}}`, "[]", "null", "1e999", "\xff"} {
		f.Add([]byte(frame))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		c := &complaints{}
		contract.Frame(c, frame)
		if len(c.all) > 0 {
			return
		}
		var v struct{ Type string }
		if err := json.Unmarshal(frame, &v); err != nil || v.Type == "" {
			t.Errorf("Frame(%q) accepts it; got type %q, error %v; want an object with a type", frame, v.Type, err)
		}
	})
}
