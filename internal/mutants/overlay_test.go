package mutants_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/mutants"
)

const root = "../.."

// TestOverlays: the text of every mistake is in the gateway as it is, and the gateway can be
// built with it.
func TestOverlays(t *testing.T) {
	for _, m := range mutants.All {
		t.Run(m.Name, func(t *testing.T) {
			abs, err := filepath.Abs(root)
			if err != nil {
				t.Fatalf("the root of the module: got error %v, want none", err)
			}
			path, err := mutants.Overlay(m.Name, abs, t.TempDir())
			if err != nil {
				t.Fatalf("Overlay: got error %v, want none", err)
			}
			pkg := "./" + strings.Split(m.File, "/")[0]
			cmd := exec.Command("go", "build", "-overlay", path, pkg)
			cmd.Dir = root
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("go build -overlay %s: %v\n%s, want no error", pkg, err, out)
			}
		})
	}
}

// TestOverlayIsSeen: what is embedded is replaced too.
func TestOverlayIsSeen(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":       "module example.net/seen\n\ngo 1.26\n",
		"main.go":      "package main\n\nimport _ \"embed\"\n\n//go:embed open.lua\nvar script string\n\nfunc main() { print(script) }\n",
		"open.lua":     "right",
		"planted":      "wrong",
		"overlay.json": `{"Replace": {"` + filepath.Join(dir, "open.lua") + `": "` + filepath.Join(dir, "planted") + `"}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatalf("%s: got error %v, want none", name, err)
		}
	}
	cmd := exec.Command("go", "run", "-overlay", "overlay.json", ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "wrong" {
		t.Errorf("got %q, %v; want what the overlay has: wrong", out, err)
	}
}

// TestOverlayFails when its text is missing, or there twice, or there is no such mistake.
func TestOverlayFails(t *testing.T) {
	m := mutants.All[0]
	old := m.Edits[0].Old
	for _, tt := range []struct{ name, mistake, text, want string }{
		{"missing", m.Name, "package sessions\n", "is 0 times in"},
		{"twice", m.Name, old + old, "is 2 times in"},
		{"unknown", "nothing", old, "there is no mistake"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			module := t.TempDir()
			file := filepath.Join(module, filepath.FromSlash(m.File))
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatalf("the folder of %s: got error %v, want none", m.File, err)
			}
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatalf("%s: got error %v, want none", m.File, err)
			}
			if _, err := mutants.Overlay(tt.mistake, module, t.TempDir()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got the error %v, want one with %q", err, tt.want)
			}
		})
	}
}
