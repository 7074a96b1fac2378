//go:build go1.26 && !go1.27 && !perch_plain_tls

package tlsbuffer

import (
	"reflect"
	"testing"
)

func TestBuffersAreFound(t *testing.T) {
	if n := len(buffers); n != 2 {
		t.Errorf("found %d read buffers in tls.Conn, want 2: crypto/tls has changed, so idle connections cost more; look at trim.go", n)
	}
	type other struct{ rawInput []byte } //nolint:unused // its name and type matter
	if n := len(findBuffers(reflect.TypeFor[other]())); n != 0 {
		t.Errorf("found %d buffers in a type that has none, want 0", n)
	}
}
