package web_test

import (
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/perch-im/perch/web"
)

func get(t *testing.T, h http.Handler, address string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, address, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// loads are the addresses that a browser fetches for the console: the page, what it names,
// and what its modules import.
func loads(t *testing.T, h http.Handler) map[string]int {
	t.Helper()
	named := regexp.MustCompile(`(?m)(?:href|src)="(/[^"]+\.(?:js|css|svg))"|^import .* from '([^']+)';`)
	sizes, todo := map[string]int{}, []string{"/"}
	for len(todo) > 0 {
		address := todo[0]
		todo = todo[1:]
		if _, done := sizes[address]; done {
			continue
		}
		w := get(t, h, address)
		if w.Code != http.StatusOK {
			t.Fatalf("GET %s is %d", address, w.Code)
		}
		sizes[address] = w.Body.Len()
		for _, m := range named.FindAllStringSubmatch(w.Body.String(), -1) {
			if m[1] != "" {
				todo = append(todo, m[1])
			} else {
				todo = append(todo, path.Join(path.Dir(address), m[2]))
			}
		}
	}
	return sizes
}

func TestConsoleIsSmall(t *testing.T) {
	total := 0
	sizes := loads(t, web.Handler())
	for _, n := range sizes {
		total += n
	}
	if len(sizes) < 12 || total > 150_000 {
		t.Errorf("the console loads %d files of %d bytes; want 12 or more of at most 150,000: %v", len(sizes), total, sizes)
	}
}

func TestPagesAreSafe(t *testing.T) {
	h := web.Handler(web.Demo("alice", `"><script>`), web.SignIn("http://127.0.0.1:1/authorize?x=1&y=2"))
	for address := range loads(t, h) {
		w := get(t, h, address)
		csp := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy %q lacks %s", address, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Content-Type") == "" {
			t.Errorf("%s: headers %v", address, w.Header())
		}
		if again := get(t, h, address, "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s with its ETag is %d", address, again.Code)
		}
	}
	if body := get(t, h, "/").Body.String(); strings.Contains(body, `"><script>`) {
		t.Errorf("an option came into the page as markup:\n%s", body)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	for _, address := range []string{"/index.html", "/web.go", "/console/", "/console/../web.go", "/package.json", "/test/kit.mjs", "//"} {
		r := httptest.NewRequest(http.MethodGet, "http://host/", nil)
		r.URL.Path = address
		w := httptest.NewRecorder()
		web.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusNotFound {
			t.Errorf("GET %s is %d, want 404", address, w.Code)
		}
	}
}

// TestScriptsMakeNoMarkup: no script turns a string into markup, or into a program, and
// none names another host.
func TestScriptsMakeNoMarkup(t *testing.T) {
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://[^1\s'"]`)
	files, err := filepath.Glob("console/*")
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	modules, err := filepath.Glob("perch/*.js")
	if err != nil || len(modules) < 3 {
		t.Fatal(modules, err)
	}
	for _, name := range append(append(files, modules...), "index.html", "perch.js") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := forbidden.Find(text); found != nil {
			t.Errorf("%s has %q", name, found)
		}
	}
}

// TestTypes checks every script with the TypeScript compiler, and that perch.d.ts is what
// it makes of perch.js.
func TestTypes(t *testing.T) {
	needs(t, "node", "install nodejs, version 20 or newer, with npm")
	if err := modules(); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "node_modules/.bin/tsc", "-p", "tsconfig.json").CombinedOutput(); err != nil {
		t.Errorf("tsc: %v\n%s", err, out)
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "node_modules/.bin/tsc", "-p", "tsconfig.types.json", "--outDir", dir).CombinedOutput(); err != nil {
		t.Fatalf("tsc: %v\n%s", err, out)
	}
	want, err := fs.ReadFile(os.DirFS(dir), "perch.d.ts")
	if err != nil {
		t.Fatal(err)
	}
	if have, err := os.ReadFile("perch.d.ts"); err != nil || string(have) != string(want) {
		t.Errorf("perch.d.ts is not what perch.js says: run npm run types in web (%v)", err)
	}
}

// TestPackageNamesItsFiles: what npm packs is enough to be used.
func TestPackageNamesItsFiles(t *testing.T) {
	needs(t, "npm", "install nodejs, version 20 or newer, with npm")
	cmd := exec.CommandContext(t.Context(), "npm", "pack", "--dry-run", "--json")
	cmd.Stderr = io.Discard
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"perch.js"`, `"perch/outbox.js"`, `"perch.d.ts"`, `"types.d.ts"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the package lacks %s", want)
		}
	}
	if strings.Contains(string(out), "console/") || strings.Contains(string(out), "stage_test") {
		t.Errorf("the package has more than the client:\n%s", out)
	}
}
