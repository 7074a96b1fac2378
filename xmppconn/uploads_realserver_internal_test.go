package xmppconn

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/testkit"
)

// TestUploadOnRealServers: Prosody and ejabberd give a place for a file, take it there, and say what is
// too large.
func TestUploadOnRealServers(t *testing.T) {
	for _, s := range []*testkit.Server{testkit.Prosody(t, testkit.ProsodyOptions{}), testkit.Ejabberd(t)} {
		t.Run(s.Name, func(t *testing.T) {
			u := newRealUser(t, s, "up")
			service, err := u.UploadService(context.Background(), perch.JID(s.Domain))
			if want := (perch.UploadService{JID: perch.JID("upload." + s.Domain), MaxSize: 1 << 20}); err != nil || service != want {
				t.Fatalf("UploadService: got %+v, %v, want %+v", service, err, want)
			}
			for name, size := range map[string]int{"ein Bild <1>.png": 70_000, "größe.txt": 1, "full.bin": 1 << 20} {
				slot, err := u.UploadSlot(context.Background(), service.JID, perch.UploadFile{Name: name, Size: int64(size), Type: "text/plain"})
				if err != nil {
					t.Fatalf("UploadSlot(%q): got error %v, want none", name, err)
				}
				content := bytes.Repeat([]byte("x"), size)
				if status := put(t, slot, content); status != http.StatusCreated {
					t.Errorf("PUT of %q: got %d, want %d", name, status, http.StatusCreated)
				}
				if got := fetch(t, slot.Get); !bytes.Equal(got, content) {
					t.Errorf("GET of %q: got %d bytes, want the %d that were put", name, len(got), size)
				}
			}
			_, err = u.UploadSlot(context.Background(), service.JID, perch.UploadFile{Name: "big", Size: 1<<20 + 1})
			if e, ok := errors.AsType[*perch.Error](err); !ok || e.Kind != perch.KindFileTooLarge || e.MaxSize != 1<<20 {
				t.Errorf("too large: got error %v, want kind %s with the limit", err, perch.KindFileTooLarge)
			}
		})
	}
}

func put(t *testing.T, slot perch.UploadSlot, content []byte) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, slot.Put.Reveal(), bytes.NewReader(content))
	if err != nil {
		t.Fatalf("NewRequest: got error %v, want none", err)
	}
	req.Close = true
	req.Header.Set("Content-Type", "text/plain")
	for _, h := range slot.Headers {
		req.Header.Set(h.Name, h.Value.Reveal())
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("PUT: got error %v, want none", strings.ReplaceAll(err.Error(), slot.Put.Reveal(), "the slot"))
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func fetch(t *testing.T, address string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatalf("NewRequest: got error %v, want none", err)
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("GET: got error %v, want none", err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET: got %d, %v, want 200", res.StatusCode, err)
	}
	return content
}
