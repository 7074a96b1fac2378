package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/canary"
)

// messengerCommandIn runs "perch messenger" until the test ends it, and gives what it has
// printed by the time that it serves.
func messengerCommandIn(t *testing.T, args ...string) (printed string, end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"messenger", "--listen", "127.0.0.1:0", "--log-level", "debug"}, args...), w, canary.Output())
		_ = w.CloseWithError(io.EOF)
		ended <- err
	}()
	var text bytes.Buffer
	buf := make([]byte, 4096)
	for !strings.Contains(text.String(), "Stop with Ctrl-C") {
		n, err := r.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			break
		}
	}
	return text.String(), func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(20 * time.Second):
			t.Fatal("it does not end, want it in time")
			return nil
		}
	}
}

func TestMessengerCommand(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca file.pem")
	for name, tt := range map[string]struct {
		args []string
		want []string
		not  string
	}{
		"with a consent page": {[]string{"--http-listen", "127.0.0.1:0", "--ca-out", ca},
			[]string{"domain    messenger.live.com", "X-MESSENGER-OAUTH2", "demo-alice", "demo-carol", "/oauth20_authorize?", "profile=messenger&ca-file=", "ca+file.pem"}, "--ca-out FILE"},
		"without one": {[]string{"--http-listen", "off", "--domain", "chat.test"},
			[]string{"domain    chat.test", "@chat.test", "--ca-out FILE"}, "oauth20"},
	} {
		t.Run(name, func(t *testing.T) {
			printed, end := messengerCommandIn(t, tt.args...)
			for _, want := range tt.want {
				if !strings.Contains(printed, want) {
					t.Errorf("no %q in\n%s, want %q in it", want, printed, want)
				}
			}
			if strings.Contains(printed, tt.not) {
				t.Errorf("%q in\n%s, want no %q in it", tt.not, printed, tt.not)
			}
			addr := regexp.MustCompile(`address +(\S+)`).FindStringSubmatch(printed)
			if addr == nil {
				t.Fatal("no address, want one")
			}
			c, err := net.Dial("tcp", addr[1])
			if err != nil {
				t.Fatalf("net.Dial: got error %v, want none", err)
			}
			_ = c.Close()
			if err := end(); err != nil {
				t.Errorf("end: got error %v, want none", err)
			}
			if c, err := net.Dial("tcp", addr[1]); err == nil {
				_ = c.Close()
				t.Error("it still listens, want an error")
			}
		})
	}
	pem, err := os.ReadFile(ca)
	if err != nil || !x509.NewCertPool().AppendCertsFromPEM(pem) {
		t.Errorf("--ca-out: %v, %d bytes, want no error and a certificate", err, len(pem))
	}
}

func TestMessengerCommandRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"another address than loopback": {[]string{"--listen", "0.0.0.0:0"}, "loopback"},
		"a CA file that cannot be":      {[]string{"--listen", "127.0.0.1:0", "--ca-out", "/does/not/exist/ca.pem"}, "--ca-out"},
		"a taken port":                  {[]string{"--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:99999"}, "--http-listen"},
		"a negative life":               {[]string{"--listen", "127.0.0.1:0", "--token-life=-1h"}, "negative"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), append([]string{"messenger", "--log-level", "error"}, tt.args...), io.Discard, canary.Output())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one that says %s", err, tt.want)
			}
		})
	}
}
