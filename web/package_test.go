package web_test

import (
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/perch-im/perch/web"
)

// TestPublishedSize: the README says what perch.js costs a page, as the gateway serves it.
func TestPublishedSize(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	for start, said := range map[string]*regexp.Regexp{
		"/perch.js":  regexp.MustCompile(`perch\.js.*is ([\d.]+) kB gzipped`),
		"/slices.js": regexp.MustCompile(`slices\.js.*adds ([\d.]+) kB`),
	} {
		total := 0
		sizes := fetched(t, web.Handler(), start, regexp.MustCompile(atOnce))
		for name, n := range sizes {
			if start == "/perch.js" || !strings.HasPrefix(name, "/perch") {
				total += n
			}
		}
		const most = 0.05 // of the size, by which the README may be behind
		m := said.FindSubmatch(readme)
		if m == nil {
			t.Fatalf("README.md of %s: got no size, want %s", start, said)
		}
		want := float64(total) / 1000
		if got, err := strconv.ParseFloat(string(m[1]), 64); err != nil || math.Abs(got-want) > most*want {
			t.Errorf("README.md of %s, %d files: got %s kB, error %v, want about %.1f kB", start, len(sizes), m[1], err, want)
		}
	}
}

// TestTypes checks every script with the TypeScript compiler, and that the declarations are
// what it makes of the modules.
func TestTypes(t *testing.T) {
	tsc(t, ".", "-p", "tsconfig.json")
	dir := t.TempDir()
	tsc(t, ".", "-p", "tsconfig.types.json", "--outDir", dir)
	want, have := declarations(t, dir), declarations(t, ".")
	if len(want) < 10 || want["perch.d.ts"] == "" {
		t.Fatalf("tsc: got %d declarations, want 10 or more and perch.d.ts", len(want))
	}
	for name, text := range want {
		if have[name] != text {
			t.Errorf("%s is not what its module says: run npm run types in web: got %v, want %v", name, have[name], text)
		}
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: got a declaration without a module, want none: run npm run types in web", name)
		}
	}
}

// declarations are perch.d.ts and those beside the modules, by name.
func declarations(t *testing.T, dir string) map[string]string {
	t.Helper()
	names, err := fs.Glob(os.DirFS(dir), "perch/*.d.ts")
	if err != nil {
		t.Fatalf("fs.Glob: got error %v, want none", err)
	}
	texts := map[string]string{}
	for _, name := range append(names, "perch.d.ts", "slices.d.ts") {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatalf("os.ReadFile: got error %v, want none", err)
		}
		texts[name] = string(text)
	}
	return texts
}

// tsc runs the TypeScript compiler in a folder.
func tsc(t *testing.T, dir string, args ...string) {
	t.Helper()
	needs(t, "node", "install nodejs, version 20 or newer, with npm")
	if err := modules(); err != nil {
		t.Fatalf("modules: got error %v, want none", err)
	}
	program, err := filepath.Abs("node_modules/.bin/tsc")
	if err != nil {
		t.Fatalf("filepath.Abs: got error %v, want none", err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("tsc %v: got error %v, want none\n%s", args, err, out)
	}
}

// TestPackageTypes compiles a program on the package as npm packs it, under every way to
// resolve modules that its users may have.
func TestPackageTypes(t *testing.T) {
	dir := t.TempDir()
	installed := install(t, dir, ".", "perch")
	run := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
			t.Fatalf("got %s %v: %v\n%s, want no error", name, args, err, out)
		}
	}
	run("cp", "testdata/consumer/consumer.ts", "testdata/consumer/slices.ts", "testdata/consumer/package.json", dir)
	if err := os.WriteFile(filepath.Join(dir, "names.ts"), everyType(t), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	for _, options := range []string{"--module nodenext", "--module esnext --moduleResolution bundler", "--module esnext --moduleResolution node10"} {
		t.Run(options, func(t *testing.T) {
			args := append(strings.Fields(options), "--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2023", "consumer.ts", "slices.ts", "names.ts")
			tsc(t, dir, args...)
		})
	}
	t.Run("browsers and node", func(t *testing.T) { importsAreFiles(t, installed) })
}

// install unpacks a package of this folder as npm packs it, below a folder of programs.
func install(t *testing.T, dir, folder, name string) string {
	t.Helper()
	needs(t, "npm", "install nodejs, version 20 or newer, with npm")
	installed := filepath.Join(dir, "node_modules/@perch-im", name)
	if err := os.MkdirAll(installed, 0o755); err != nil {
		t.Fatalf("os.MkdirAll: got error %v, want none", err)
	}
	packed := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "npm", "pack", "--silent", "--pack-destination", packed)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm pack of %s: got error %v, want none\n%s", folder, err, out)
	}
	archives, err := filepath.Glob(filepath.Join(packed, "*.tgz"))
	if err != nil || len(archives) != 1 {
		t.Fatalf("npm pack of %s: got %v, error %v, want one archive", folder, archives, err)
	}
	if out, err := exec.CommandContext(t.Context(), "tar", "-xzf", archives[0], "-C", installed, "--strip-components=1").CombinedOutput(); err != nil {
		t.Fatalf("tar: got error %v, want none\n%s", err, out)
	}
	return installed
}

// everyType is a program that imports every type of types.d.ts from the package.
func everyType(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("types.d.ts")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^export (?:type|interface) (\w+)`).FindAllSubmatch(text, -1) {
		names = append(names, string(m[1]))
	}
	if len(names) < 50 {
		t.Fatalf("types.d.ts: got %d exported types, want 50 or more", len(names))
	}
	return []byte("export type { " + strings.Join(names, ", ") + " } from '@perch-im/perch';\n")
}

// importsAreFiles reports what a browser without an import map could not load, and what node cannot.
func importsAreFiles(t *testing.T, installed string) {
	t.Helper()
	named := regexp.MustCompile(`(?m)^(?:import|export|\}) .*\bfrom '([^']+)';`)
	files := 0
	err := filepath.WalkDir(installed, func(name string, d fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".js" {
			return err
		}
		files++
		text, err := os.ReadFile(name)
		for _, m := range named.FindAllSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), string(m[1]))); err != nil || m[1][0] != '.' {
				t.Errorf("%s imports %s: got error %v, want a file of the package", name, m[1], err)
			}
		}
		return err
	})
	if err != nil || files < 30 {
		t.Errorf("the package: got %d scripts, error %v, want 30 or more and none", files, err)
	}
	const program = "import { Perch } from '@perch-im/perch'; import { select } from '@perch-im/perch/slices'; if (!Perch || !select) throw new Error('nothing')"
	cmd := exec.CommandContext(t.Context(), "node", "--input-type=module", "-e", program)
	cmd.Dir = filepath.Join(installed, "../../..")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("node: got error %v, want none\n%s", err, out)
	}
}

// TestPackageNamesItsFiles: what npm packs is enough to be used.
func TestPackageNamesItsFiles(t *testing.T) {
	needs(t, "npm", "install nodejs, version 20 or newer, with npm")
	cmd := exec.CommandContext(t.Context(), "npm", "pack", "--dry-run", "--json")
	cmd.Stderr = io.Discard
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cmd.Output: got error %v, want none", err)
	}
	for _, want := range []string{`"perch.js"`, `"slices.js"`, `"slices.d.ts"`, `"perch/outbox.js"`, `"perch/rest.js"`, `"perch.d.ts"`, `"perch/rest.d.ts"`, `"types.d.ts"`, `"openapi.d.ts"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("npm pack: got no %s, want it in the package", want)
		}
	}
	if strings.Contains(string(out), "console/") || strings.Contains(string(out), "stage_test") {
		t.Errorf("npm pack: got more than the client, want no console/ and no stage_test in\n%s", out)
	}
}
