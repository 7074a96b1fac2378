package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// elsewhere are the lines of docs/operations.md that this test cannot run, by their beginning, and why.
var elsewhere = map[string]string{
	"PERCH_":         "a file of the environment: TestGuideSettings reads its names",
	"docker compose": "it needs an engine for containers; TestComposeSettings and those beside it read the file",
	"curl":           "it needs the containers, or a node at that address; TestReadme runs the same requests",
	"systemctl":      "it needs systemd: make deb-check starts and stops the unit, TestUnit reads it",
	"kill -HUP":      "TestHangup sends the signal",
}

// TestGuideLines: every shell line of docs/operations.md is run, or parsed as the program does, or named
// above with the reason why not.
func TestGuideLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "perch.yaml")
	if err := os.WriteFile(file, []byte("listen: 127.0.0.1:8080\n"), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	program := regexp.MustCompile(`^(?:until )?perch ([^;#]*)`)
	used, lines := map[string]bool{}, 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(read(t, "../../docs/operations.md"), -1) {
		for line := range strings.Lines(block[1]) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			lines++
			switch m := program.FindStringSubmatch(line); {
			case m != nil:
				parseLine(t, line, strings.Fields(strings.ReplaceAll(m[1], "/etc/perch/perch.yaml", file)))
			case strings.HasSuffix(line, "> .env)"):
				runLine(t, line)
			default:
				nameLine(t, line, used)
			}
		}
	}
	for start := range elsewhere {
		if !used[start] {
			t.Errorf("no line begins with %q any more, want it left out of the table", start)
		}
	}
	if lines < 15 {
		t.Errorf("got %d lines, want this test to look in the right place: at least 15", lines)
	}
}

// parseLine reads the arguments of a line as the program does.
func parseLine(t *testing.T, line string, args []string) {
	t.Helper()
	var c commandLine
	parser, err := newParser(&c, &bytes.Buffer{}, &bytes.Buffer{})
	if err != nil {
		t.Fatalf("newParser: got error %v, want none", err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Errorf("%s: got error %v, want a line that works as it stands", line, err)
	}
}

// runLine runs the line that makes the secrets of docker-compose.yml.
func runLine(t *testing.T, line string) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("sh", "-euc", line)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: got error %v, want none: %s", line, err, out)
		return
	}
	info, err := os.Stat(filepath.Join(dir, ".env"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: got %v, error %v, want a file that its owner alone reads", line, info, err)
		return
	}
	if text := read(t, filepath.Join(dir, ".env")); !regexp.MustCompile(`^(\w+=[0-9a-f]{64}\n){3}$`).MatchString(text) {
		t.Errorf("%s: got %d bytes, want three secrets", line, len(text))
	}
}

// nameLine looks a line up that cannot be run here.
func nameLine(t *testing.T, line string, used map[string]bool) {
	t.Helper()
	for start := range elsewhere {
		if strings.HasPrefix(line, start) {
			used[start] = true
			return
		}
	}
	t.Errorf("%s: nothing runs it, want it run here, or its reason in the table", line)
}
