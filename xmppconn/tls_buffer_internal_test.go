package xmppconn

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
)

// TestTrimTLS reads records of changing length with a trim between all reads: nothing is
// lost, and a long record leaves nothing behind. It holds for tls_buffer.go and for its plain
// twin, which leaves all of it.
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
	if kept := keptTLSBuffers(t, client); trimsTLS && kept > 2<<10 {
		t.Errorf("an idle connection keeps %d bytes of read buffers, want 2 KiB at most: crypto/tls has changed, look at tls_buffer.go", kept)
	}
}

// keptTLSBuffers is how many bytes the buffers of a connection hold that are there to be read
// into, found without the code that is tested.
func keptTLSBuffers(t *testing.T, conn *tls.Conn) (kept int) {
	t.Helper()
	v := reflect.ValueOf(conn).Elem()
	for _, name := range []string{"rawInput", "hand"} {
		buffer := v.FieldByName(name)
		if trimsTLS && (!buffer.IsValid() || buffer.Type() != reflect.TypeFor[bytes.Buffer]()) {
			t.Fatalf("tls.Conn has no buffer %s, want one: crypto/tls has changed, look at tls_buffer.go", name)
		}
		if buffer.IsValid() {
			kept += buffer.FieldByName("buf").Cap()
		}
	}
	return kept
}
