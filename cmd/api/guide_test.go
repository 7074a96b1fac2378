package main

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	return string(b)
}

// TestGuideSettings: what the guides write into a configuration file or the environment are
// settings.
func TestGuideSettings(t *testing.T) {
	files, names := 0, 0
	for _, page := range []string{"../../README.md", "../../docs/operations.md"} {
		text := read(t, page)
		for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(text, -1) {
			if !regexp.MustCompile(`(?m)^listen: `).MatchString(m[1]) {
				continue // Prometheus'
			}
			files++
			file := filepath.Join(t.TempDir(), "perch.yaml")
			if err := os.WriteFile(file, []byte(m[1]), 0o600); err != nil {
				t.Fatalf("os.WriteFile: got error %v, want none", err)
			}
			if _, err := parse(t, "--config", file); err != nil {
				t.Errorf("%s: %v in:\n%s, want no error", page, err, m[1])
			}
		}
		var c commandLine
		parser, err := newParser(&c, &bytes.Buffer{}, &bytes.Buffer{})
		if err != nil {
			t.Fatalf("newParser: got error %v, want none", err)
		}
		for _, name := range regexp.MustCompile(`\bPERCH_[A-Z_]+\b`).FindAllString(text, -1) {
			names++
			if name == "PERCH_NET" || name == "PERCH_PORT" {
				continue // of docker-compose.yml, not of the program
			}
			if err := refuseUnknownEnvironment(parser.Model, []string{name + "=x"}); err != nil {
				t.Errorf("%s: got error %v, want none", page, err)
			}
		}
	}
	if files < 3 || names < 10 {
		t.Errorf("%d files and %d names: this test looks in the wrong place, want at least 3 and at least 10", files, names)
	}
}

// TestImage builds what the image has as its Dockerfile does: a static program that holds
// no path of the machine it was built on.
func TestImage(t *testing.T) {
	const result = " -o /perch "
	line := regexp.MustCompile(`(?m)^RUN (.* go build .*)$`).FindStringSubmatch(read(t, "../../Dockerfile"))
	if line == nil || !strings.Contains(line[1], result) {
		t.Fatalf("the Dockerfile builds nothing, want one and %q in it", result)
	}
	program := filepath.Join(t.TempDir(), "perch")
	build := exec.Command("sh", "-c", strings.Replace(line[1], result, " -o "+program+" ", 1))
	build.Dir, build.Env = "../..", append(os.Environ(), "VERSION=1.2.3")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s, want no error", line[1], err, out)
	}
	f, err := elf.Open(program)
	if err != nil {
		t.Fatalf("elf.Open: got error %v, want none", err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Errorf("the program asks for a dynamic loader, which the image does not have: got %v, want anything but %v", p.Type, elf.PT_INTERP)
		}
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatalf("filepath.Abs: got error %v, want none", err)
	}
	if strings.Contains(read(t, program), root) {
		t.Errorf("the program knows that it was built in %s, want no %q in it", root, root)
	}
	if out, err := exec.Command(program, "version").CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "perch 1.2.3\n") {
		t.Errorf("perch version: %v %s, want no error and %q", err, out, "perch 1.2.3\n")
	}
}
