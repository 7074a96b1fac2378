package app_test

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/canary"
)

// TestTodayGuide runs the ten lines of docs/today.md, and those of the README, against what runs by default: they
// work as they stand.
func TestTodayGuide(t *testing.T) {
	for file, wants := range map[string][]string{
		"docs/today.md": {`"nick":"Noah"`, `"status":"accepted"`, `"unread":0`},
		"README.md":     {`"nick":"Ada"`, `"status":"accepted"`, `"unread":0`},
	} {
		t.Run(file, func(t *testing.T) { runTodayLines(t, file, wants) })
	}
}

func runTodayLines(t *testing.T, file string, wants []string) {
	text, err := os.ReadFile("../" + file)
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	block := regexp.MustCompile("(?s)```bash\n(.*?)```").FindStringSubmatch(string(text))
	if block == nil {
		t.Fatalf("%s: got no block of bash, want the ten lines", file)
	}
	a, err := app.New(app.Options{
		Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", Logger: canary.Logger(),
	})
	if err != nil {
		t.Fatalf("app.New: got error %v, want none", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Errorf("a.Stop: got error %v, want none", err)
		}
	})
	if err := a.Start(); err != nil {
		t.Fatalf("a.Start: got error %v, want none", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", strings.ReplaceAll(block[1], "http://127.0.0.1:8080", a.URL()))
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the lines: got error %v, want none:\n%s", err, out)
	}
	for _, want := range wants {
		if !strings.Contains(string(out), want) {
			t.Errorf("got %s\nwant %s in it", out, want)
		}
	}
	if !strings.HasSuffix(string(out), "hello") {
		t.Errorf("got %s\nwant the file at its end", out)
	}
}
