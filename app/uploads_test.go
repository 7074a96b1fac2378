package app_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/internal/todaytest"
)

// largestUpload is what the upload services of these tests take: the most that the gateway takes by default.
const largestUpload = 100 << 20

// withUploads runs a test on each server that takes files, with a gateway that takes them, too.
func withUploads(t *testing.T, f func(t *testing.T, a *app.App, api *testkit.Gateway, server string)) {
	for name, server := range map[string]func(t *testing.T) *testkit.Server{
		"prosody PLAIN": func(t *testing.T) *testkit.Server {
			return testkit.Prosody(t, testkit.ProsodyOptions{UploadBytes: largestUpload})
		},
		"ejabberd SCRAM-SHA-1": func(t *testing.T) *testkit.Server {
			return testkit.EjabberdWith(t, testkit.EjabberdOptions{UploadBytes: largestUpload})
		},
		"today PLAIN": func(t *testing.T) *testkit.Server { return todaytest.Server(t) },
	} {
		t.Run(name, func(t *testing.T) {
			l, s := loginNamed(name), server(t)
			a := start(t, l.upstream(s, l.address(s)), func(o *app.Options) {
				o.UploadProxy, o.UploadHTTPHosts = perch.UploadProxyOn, []string{"127.0.0.1"}
				o.UploadProxyAllow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
			})
			f(t, a, l.signIn(t, a, s, s.NewUserAt(t, "alice", l.domainOn(s))), s.Name)
		})
	}
}

// TestUploadsThroughTheGateway: Prosody and ejabberd take a file through the gateway, of the smallest and of
// a large size, whose bytes are nowhere in its memory.
func TestUploadsThroughTheGateway(t *testing.T) {
	withUploads(t, func(t *testing.T, a *app.App, api *testkit.Gateway, server string) {
		total, smallest, largest := 0, 0, 16<<20 // Prosody takes a second for each 2 MiB, from whomever
		if server == "ejabberd" {                // it has no slot for no byte
			smallest, largest = 1, largestUpload
			api.Call(t, http.StatusUnprocessableEntity, http.MethodPost, "/v1/uploads", map[string]any{"name": "nothing", "size": 0})
		}
		for _, size := range []int{smallest, 70_000, largest} {
			slot := api.Call(t, http.StatusCreated, http.MethodPost, "/v1/uploads", map[string]any{"name": "ein Bild.png", "size": size, "type": "image/png"}).JSON(t)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			sent := putPattern(t, a.URL()+slot.Str("proxy_url"), api.Token, size)
			runtime.ReadMemStats(&after)
			took := time.Since(began)
			// Of the client and the gateway, in all; the embedded service is in this process, and keeps the file.
			if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 && server != "today" {
				t.Errorf("%d bytes: got %d bytes allocated, want at most 8 MiB", size, used)
			}
			if got := sumOf(t, slot.Str("get_url")); got != sent {
				t.Errorf("%d bytes: got a file of the sum %s, want %s", size, got, sent)
			}
			total += size
			t.Logf("%d bytes there in %v, and back in %v, %d KiB allocated", size, took, time.Since(began)-took, (after.TotalAlloc-before.TotalAlloc)>>10)
		}
		for _, want := range []string{`perch_uploads_total{result="ok"} 3`, "perch_upload_bytes_total " + fmt.Sprintf("%g", float64(total))} {
			if text := scrape(t, a); !strings.Contains(text, want+"\n") {
				t.Errorf("metrics: got %v, want %s", regexp.MustCompile(`perch_upload\S* \S+`).FindAllString(text, -1), want)
			}
		}
	})
}

// pattern is a file that is nowhere: each of its bytes is made when it is read.
type pattern struct{ at int }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(p.at * 31 >> 3)
		p.at++
	}
	return len(b), nil
}

// putPattern puts a file of so many bytes, and returns its sum.
func putPattern(t *testing.T, address, token string, size int) string {
	t.Helper()
	sum := sha256.New()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, address, io.TeeReader(io.LimitReader(&pattern{}, int64(size)), sum))
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	if req.ContentLength = int64(size); size == 0 {
		req.Body = http.NoBody
	}
	req.Close = true
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("PUT: got error %v, want none", err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusCreated {
		t.Fatalf("PUT of %d bytes: got %d %s, want 201", size, res.StatusCode, text)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// sumOf is the sum of what is at an address.
func sumOf(t *testing.T, address string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("GET: got error %v, want none", err)
	}
	defer res.Body.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, res.Body); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET: got %d, error %v, want 200 and none", res.StatusCode, err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// TestUploadGuide runs the lines of docs/uploads.md on Prosody and ejabberd: a slot and the file straight to
// it, and a slot and the file through the gateway.
func TestUploadGuide(t *testing.T) {
	text, err := os.ReadFile("../docs/uploads.md")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 3 {
		t.Fatalf("docs/uploads.md: got %d blocks, want 3: a slot, straight, through the gateway", len(blocks))
	}
	withUploads(t, func(t *testing.T, a *app.App, api *testkit.Gateway, _ string) {
		dir := t.TempDir()
		content := []byte(strings.Repeat("a cat ", 20_000))
		if err := os.WriteFile(filepath.Join(dir, "cat.png"), content, 0o600); err != nil {
			t.Fatalf("os.WriteFile: got error %v, want none", err)
		}
		sum := sha256.Sum256(content)
		for way, lines := range map[string]string{"straight": blocks[1][1], "through the gateway": blocks[2][1]} {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			script := blocks[0][1] + lines + `jq -r .get_url <<< "$slot" >&3`
			cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", `exec 3>got; `+script)
			cmd.Dir, cmd.WaitDelay = dir, time.Second
			cmd.Env = append(os.Environ(), "U="+a.URL(), "auth=Authorization: Bearer "+api.Token)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: got error %v, want none:\n%s", way, err, out)
			}
			address, err := os.ReadFile(filepath.Join(dir, "got"))
			if err != nil {
				t.Fatalf("os.ReadFile: got error %v, want none", err)
			}
			if got := sumOf(t, strings.TrimSpace(string(address))); got != hex.EncodeToString(sum[:]) {
				t.Errorf("%s: got a file of the sum %s, want %x", way, got, sum)
			}
		}
	})
}
