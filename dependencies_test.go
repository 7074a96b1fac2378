package perch_test

import (
	"encoding/json"
	"go/parser"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floors are the oldest versions that are free of the faults that concern us: what is older
// has a known one.
var floors = map[string]string{
	"golang.org/x/text":            "v0.39.0",
	"golang.org/x/net":             "v0.56.0",
	"github.com/go-chi/chi/v5":     "v5.5.0",
	"github.com/redis/go-redis/v9": "v9.23.0",
	"mellium.im/xmpp":              "v0.23.0",
}

// goFloor is the same for Go itself.
const goFloor = "1.26.8"

// mostModules is how many modules the program may use directly: each is code that a third
// party can change. The modules of OpenTelemetry are one project and count as one.
const mostModules = 15

type goMod struct {
	Go      string
	Require []struct{ Path, Version string }
	Replace []struct{ Old struct{ Path string } }
}

func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatalf("go mod edit: got error %v, want none", err)
	}
	var mod goMod
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatalf("json.Unmarshal: got error %v, want none", err)
	}
	if older("v"+mod.Go, "v"+goFloor) {
		t.Errorf("go %s, want at least %s", mod.Go, goFloor)
	}
	for _, r := range mod.Replace {
		t.Errorf("%s is replaced: what go.mod names must be what is built, want none", r.Old.Path)
	}
	found := 0
	for _, r := range mod.Require {
		floor, ok := floors[r.Path]
		if !ok {
			continue
		}
		found++
		if older(r.Version, floor) {
			t.Errorf("%s %s, want at least %s", r.Path, r.Version, floor)
		}
	}
	if found != len(floors) {
		t.Errorf("%d of %d modules with a floor are in go.mod, want them equal", found, len(floors))
	}
	if used := directModules(t, mod); len(used) > mostModules {
		t.Errorf("the program uses %d modules directly, want at most %d: %q", len(used), mostModules, used)
	}
}

// directModules lists the modules that the files of the program import, without tests and
// tools.
func directModules(t *testing.T, mod goMod) []string {
	t.Helper()
	var used []string
	for name, f := range parse(t, parser.ImportsOnly) {
		dir := path.Dir(name)
		if strings.HasSuffix(name, "_test.go") || dir == "bench" || dir == "cache/storetest" || strings.HasPrefix(dir, "internal/") {
			continue
		}
		for _, imp := range importsOf(f) {
			for _, r := range mod.Require {
				if imp == r.Path || strings.HasPrefix(imp, r.Path+"/") {
					used = append(used, family(r.Path))
				}
			}
		}
	}
	slices.Sort(used)
	return slices.Compact(used)
}

// family is the project that a module belongs to.
func family(module string) string {
	if strings.HasPrefix(module, "go.opentelemetry.io/otel") {
		return "go.opentelemetry.io/otel"
	}
	return module
}

// older reports whether the version a comes before b. What follows a hyphen is left out: of a
// floor there is no pre-release.
func older(a, b string) bool {
	parts := func(v string) (n []int) {
		v, _, _ = strings.Cut(strings.TrimPrefix(v, "v"), "-")
		for part := range strings.SplitSeq(v, ".") {
			i, _ := strconv.Atoi(part)
			n = append(n, i)
		}
		return n
	}
	return slices.Compare(parts(a), parts(b)) < 0
}

func TestOlder(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"v0.38.9", "v0.39.0", true}, {"v0.39.0", "v0.39.0", false}, {"v0.100.0", "v0.39.0", false},
		{"v5.4.99", "v5.5.0", true}, {"v1.0.0", "v0.56.0", false}, {"v0.0.0-20260101000000-aaaaaaaaaaaa", "v0.39.0", true},
	} {
		if got := older(tt.a, tt.b); got != tt.want {
			t.Errorf("%s before %s: got %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}
