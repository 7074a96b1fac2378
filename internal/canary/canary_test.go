package canary_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/canary"
)

// TestEverythingIsKept: what tests hand over lies in files of their package and process.
func TestEverythingIsKept(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CANARY_DIR", dir) // before anything of this process is kept
	kept := func(kind string) string {
		text, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("internal.canary.%d.%s", os.Getpid(), kind)))
		if err != nil {
			t.Fatalf("os.ReadFile: got error %v, want none", err)
		}
		return string(text)
	}

	var own bytes.Buffer
	canary.Logger(slog.NewTextHandler(&own, nil)).Debug("a detail", "of", "mine")
	fmt.Fprint(canary.Output(), "a line of a program")
	if log := kept("log"); !strings.Contains(log, `"msg":"a detail","of":"mine"`) || !strings.Contains(log, "canary_test.go") || !strings.HasSuffix(log, "}\na line of a program\n") {
		t.Errorf("the log: %s, want %q in it and %q in it and %q at its end", log, `"msg":"a detail","of":"mine"`, "canary_test.go", "}\na line of a program\n")
	}
	if own.Len() > 0 {
		t.Errorf("the test's own handler, for Info and above, got %s, want none", own.Bytes())
	}

	canary.Answer("GET 404 Not Found", http.Header{"X-Y": {"z"}}, []byte("{}"))
	if got := kept("answers"); got != canary.Entry+"GET 404 Not Found map[X-Y:[z]] {}\n" {
		t.Errorf("answers: %q, want %q", got, canary.Entry+"GET 404 Not Found map[X-Y:[z]] {}\n")
	}
	canary.Page("/metrics", []byte("up 1\n"))
	if got := kept("pages"); got != canary.Entry+"/metrics\nup 1\n" {
		t.Errorf("pages: %q, want %q", got, canary.Entry+"/metrics\nup 1\n")
	}

	secret := canary.Secret()
	if raw, err := base64.StdEncoding.DecodeString(secret); err != nil || base64.StdEncoding.EncodeToString(raw) != secret || !strings.HasPrefix(secret, canary.Mark) {
		t.Errorf("%v: not the mark and canonical base64, want no error and %v and %q at its beginning", err, secret, canary.Mark)
	}
	if got := kept("secrets"); got != base64.StdEncoding.EncodeToString([]byte(secret))+"\n" {
		t.Errorf("secrets: got %q, want the one that was made, as base64", got)
	}
}

// TestShortSecretsAreRefused: their text would be found everywhere.
func TestShortSecretsAreRefused(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a secret of three letters was taken, want a panic")
		}
	}()
	canary.Note("ann")
}
