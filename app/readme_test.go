package app_test

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestReadme runs the lines of the README against the demo, in their order, as a newcomer does: its
// quick start brings back what was said, and none is refused.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	start, _, found := strings.Cut(string(text), "## Your own XMPP server")
	if !found {
		t.Fatal("the README has no part about an own server, want this test to look in the right place")
	}
	a := demo(t)
	var script strings.Builder
	lines := 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(start, -1) {
		for line := range strings.Lines(block[1]) {
			if strings.HasPrefix(line, "go run") || strings.HasPrefix(line, "websocat") || strings.HasPrefix(line, endless) {
				continue // the gateway itself, and what ends by Ctrl-C: other tests
			}
			if strings.HasPrefix(line, "curl") {
				lines++
				line = strings.Replace(line, "curl ", "curl -sS ", 1)
			}
			script.WriteString(strings.Replace(line, "http://127.0.0.1:8080", a.URL(), 1))
			if strings.HasPrefix(line, "curl") && strings.Contains(line, "/v1/messages") {
				script.WriteString("sleep 1\n") // for the answer, as somebody who pastes line by line
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script.String())
	cmd.Dir = t.TempDir() // one of them writes a picture
	out, err := cmd.CombinedOutput()
	if err != nil || lines < 15 {
		t.Fatalf("got error %v after %d requests, want none after 15 at least:\n%s", err, lines, out)
	}
	if strings.Contains(string(out), `"/problems/`) {
		t.Errorf("got a refusal, want none:\n%s", out)
	}
	if n := strings.Count(string(out), "Hello!"); n < 3 {
		t.Errorf("got what was said %d times, want it as sent, and from the archive with its answer:\n%s", n, out)
	}
}
