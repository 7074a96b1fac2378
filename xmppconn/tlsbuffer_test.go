package xmppconn

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

func TestTLSBuffersAreFound(t *testing.T) {
	if n := len(tlsBuffers); n != 2 {
		t.Errorf("found %d read buffers in tls.Conn, want 2: crypto/tls has changed, so idle connections cost more; look at tlsbuffer.go", n)
	}
	type other struct{ rawInput []byte } //nolint:unused // its name and type matter
	if n := len(findTLSBuffers(reflect.TypeFor[other]())); n != 0 {
		t.Errorf("found %d buffers in a type that has none", n)
	}
}

// TestTrimTLS reads records of changing length with a trim between all reads: nothing is
// lost, and a long record leaves nothing behind.
func TestTrimTLS(t *testing.T) {
	a, b := net.Pipe()
	server := tls.Server(b, &tls.Config{Certificates: []tls.Certificate{testCert()}})
	client := tls.Client(a, &tls.Config{ServerName: "a.test", RootCAs: testPKI().pool})
	defer client.Close()
	records := []string{"a", strings.Repeat("long ", 3000), "b", strings.Repeat("c", 16384), "d"}
	go func() {
		defer server.Close()
		for _, r := range records {
			if _, err := io.WriteString(server, r); err != nil {
				return
			}
		}
	}()
	var got bytes.Buffer
	part := make([]byte, 32)
	for {
		n, err := client.Read(part)
		got.Write(part[:n])
		trimTLS(client)
		if err != nil {
			break
		}
	}
	if want := strings.Join(records, ""); got.String() != want {
		t.Fatalf("read %d bytes, want the %d that were written", got.Len(), len(want))
	}
	for _, at := range tlsBuffers {
		if c := (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(client), at)).Cap(); c > keepTLSBuffer {
			t.Errorf("an idle connection keeps %d bytes of a read buffer", c)
		}
	}
}
