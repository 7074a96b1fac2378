package tlsbuffer_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/perch-im/perch/xmppconn/internal/tlsbuffer"
)

// TestTrim reads records of changing length with a trim between all reads: nothing is
// lost, and a long record leaves nothing behind. It holds for trim.go and for its plain
// twin, which leaves all of it.
func TestTrim(t *testing.T) {
	a, b := net.Pipe()
	https := httptest.NewTLSServer(nil) // for its certificate
	defer https.Close()
	roots := x509.NewCertPool()
	roots.AddCert(https.Certificate())
	server := tls.Server(b, https.TLS)
	client := tls.Client(a, &tls.Config{ServerName: "example.com", RootCAs: roots})
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
		tlsbuffer.Trim(client, 1<<10)
		if err != nil {
			break
		}
	}
	if want := strings.Join(records, ""); got.String() != want {
		t.Fatalf("read %d bytes, want the %d that were written", got.Len(), len(want))
	}
	if kept := keptBuffers(t, client); tlsbuffer.Trims && kept > 2<<10 {
		t.Errorf("an idle connection keeps %d bytes of read buffers, want 2 KiB at most: crypto/tls has changed, look at trim.go", kept)
	}
}

// keptBuffers is how many bytes the buffers of a connection hold that are there to be read
// into, found without the code that is tested.
func keptBuffers(t *testing.T, conn *tls.Conn) (kept int) {
	t.Helper()
	v := reflect.ValueOf(conn).Elem()
	for _, name := range []string{"rawInput", "hand"} {
		buffer := v.FieldByName(name)
		if tlsbuffer.Trims && (!buffer.IsValid() || buffer.Type() != reflect.TypeFor[bytes.Buffer]()) {
			t.Fatalf("tls.Conn has no buffer %s, want one: crypto/tls has changed, look at trim.go", name)
		}
		if buffer.IsValid() {
			kept += buffer.FieldByName("buf").Cap()
		}
	}
	return kept
}
