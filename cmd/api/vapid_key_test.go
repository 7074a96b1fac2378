package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/canary"
)

// TestVAPIDKey: what the command prints is what the setting takes, from a file.
func TestVAPIDKey(t *testing.T) {
	private, rest, _ := strings.Cut(printed(t, "vapid-key"), "\n")
	public, ok := strings.CutPrefix(rest, "public ")
	public = strings.TrimSpace(public)
	if len(private) != 43 || !ok || len(public) != 87 {
		t.Fatalf("perch vapid-key: got %d and %q, want a private key of 43 characters and a public one of 87", len(private), rest)
	}
	canary.Note(private)
	if again := printed(t, "vapid-key"); strings.HasPrefix(again, private) {
		t.Errorf("perch vapid-key: got the same key twice, want another one")
	}
	file := filepath.Join(t.TempDir(), "vapid-key")
	if err := os.WriteFile(file, []byte(private+"\n"), 0o600); err != nil {
		t.Fatalf("WriteFile: got error %v, want none", err)
	}
	if got := printed(t, "check", "--push-vapid-key-file", file, "--push-contact", "mailto:push@example.org"); !strings.Contains(got, public) || strings.Contains(got, private) {
		t.Errorf("perch check: got %q, want the public half of the key alone", got)
	}
	if got := printed(t, "--check-config", "--push=false"); !strings.Contains(got, "valid") {
		t.Errorf("perch --check-config: got %q, want the settings valid", got)
	}
}
