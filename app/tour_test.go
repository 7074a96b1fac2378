package app_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/testkit"
)

// endless marks the blocks of the tour that a person ends by Ctrl-C.
const endless = "curl -N"

// programs say how the blocks of the tour are run. WebSockets have their own tests; a
// block for websocat is only read.
var programs = map[string][]string{
	"sh":     {"bash", "-euo", "pipefail", "-c"},
	"js":     {"node", "--input-type=module", "-e"},
	"python": {"python3", "-c"},
}

// TestTour runs docs/api.md against the demo: its lines work as they stand.
func TestTour(t *testing.T) {
	text, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	a := demo(t)
	setting := ""
	blocks := regexp.MustCompile("(?s)```([a-z]+)\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 10 {
		t.Fatalf("only %d blocks: this test looks in the wrong place, want at least 10", len(blocks))
	}
	for i, b := range blocks {
		language, code := b[1], b[2]
		switch {
		case strings.Contains(code, "websocat"):
			continue
		case i == 0:
			setting = strings.ReplaceAll(code, "http://127.0.0.1:8080", a.URL())
			continue
		case language == "sh":
			// A curl that is refused tells by its status only when asked.
			code = setting + strings.ReplaceAll(code, "curl ", "curl -sS ")
		}
		t.Run(fmt.Sprintf("%s_%d", language, i), func(t *testing.T) { tourStop(t, language, code, a.URL()) })
	}
}

// tourStop runs one block and looks at what it says.
func tourStop(t *testing.T, language, code, url string) {
	patience := 20 * time.Second
	unending := strings.Contains(code, strings.Replace(endless, "curl", "curl -sS", 1))
	if unending {
		patience = time.Second
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	program := programs[language]
	cmd := exec.CommandContext(ctx, program[0], append(program[1:len(program):len(program)], code)...)
	cmd.Env = append(os.Environ(), "U="+url)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil && !(unending && ctx.Err() != nil) {
		t.Fatalf("got error %v, want none, of\n%s\n%s", err, code, out)
	}
	said := string(out)
	refused := strings.Contains(said, `"/problems/`)
	if wanted := strings.Contains(code, "/problems/"); refused != wanted || len(strings.TrimSpace(said)) == 0 {
		t.Errorf("%s\nsaid: %s, want %v and more than 0", code, said, wanted)
	}
	if unending && !strings.Contains(said, `"live"`) {
		t.Errorf("the stream did not come to live events: %s, want %q in it", said, `"live"`)
	}
}

// TestDescriptionsAreServed: the tour sends people and programs to these.
func TestDescriptionsAreServed(t *testing.T) {
	a := demo(t)
	api := testkit.NewGateway(t, a.URL(), "")
	for path, want := range map[string]string{
		"/v1/openapi.yaml": string(perch.OpenAPI), "/v1/asyncapi.yaml": string(perch.AsyncAPI),
		"/docs": "swagger-ui-bundle.js", "/docs/api.md": "# A tour of the API",
	} {
		if got := api.Call(t, 200, "GET", path, nil); !strings.Contains(string(got.Body), want) {
			t.Errorf("%s: %.200s, want %q in it", path, got.Body, want)
		}
	}
}
