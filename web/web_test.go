package web_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
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

// What a page and a module name: what is fetched at once, and what is fetched when it is asked for.
const (
	atOnce = `(?m)(?:href|src)="(/[^"]+\.(?:js|css|svg))"|^(?:import|export|\}) .*\bfrom '([^']+)';`
	later  = `|=> import\('([^']+)'\)`
)

// loads are the addresses that a browser fetches for a page, with the bytes that are sent for each: the
// page, what it names, and what its modules import and export again, at once or when it is asked for.
func loads(t *testing.T, h http.Handler) map[string]int {
	t.Helper()
	return fetched(t, h, "/", regexp.MustCompile(atOnce+later))
}

// fetched follows what is named, from a page or module on.
func fetched(t *testing.T, h http.Handler, start string, named *regexp.Regexp) map[string]int {
	t.Helper()
	sizes, todo := map[string]int{}, []string{start}
	for len(todo) > 0 {
		address := todo[0]
		todo = todo[1:]
		if _, done := sizes[address]; done {
			continue
		}
		w := get(t, h, address, "Accept-Encoding", "gzip, deflate, br")
		if w.Code != http.StatusOK {
			t.Fatalf("GET %s: got %d, want 200", address, w.Code)
		}
		sizes[address] = w.Body.Len()
		for _, m := range named.FindAllStringSubmatch(plain(t, w), -1) {
			if m[1] != "" {
				todo = append(todo, m[1])
				continue
			}
			todo = append(todo, path.Join(path.Dir(address), strings.Join(m[2:], "")))
		}
	}
	return sizes
}

// plain undoes the content coding of an answer.
func plain(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if w.Header().Get("Content-Encoding") != "gzip" {
		return w.Body.String()
	}
	z, err := gzip.NewReader(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatalf("gzip.NewReader: got error %v, want none", err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatalf("io.ReadAll: got error %v, want none", err)
	}
	return string(text)
}

// TestConsoleIsSmall: what a browser fetches before the first page is there, what it fetches for an account,
// and all that it may fetch later.
func TestConsoleIsSmall(t *testing.T) {
	h := web.Handler()
	first := fetched(t, h, "/", regexp.MustCompile(atOnce))
	account := fetched(t, h, "/console/pane.js", regexp.MustCompile(atOnce))
	maps.Copy(account, first)
	for _, tc := range []struct {
		what                 string
		sizes                map[string]int
		fewest, files, bytes int
	}{
		{"the first page", first, 8, 12, 15_000},
		{"the console of an account", account, 40, 75, 98_000},
		{"the console with all of its parts", loads(t, h), len(account) + 4, 95, 124_000},
	} {
		total := 0
		for _, n := range tc.sizes {
			total += n
		}
		if n := len(tc.sizes); n < tc.fewest || n > tc.files || total > tc.bytes {
			t.Errorf("%s: got %d files of %d bytes, want %d to %d of at most %d: %v", tc.what, n, total, tc.fewest, tc.files, tc.bytes, tc.sizes)
		}
		t.Logf("%s: %d files of %d bytes", tc.what, len(tc.sizes), total)
	}
}

// TestEveryModuleIsServed: what perch.js and the console import is embedded, and nothing is
// there that no module imports.
func TestEveryModuleIsServed(t *testing.T) {
	loaded := loads(t, web.Handler())
	for _, pattern := range []string{"perch.js", "perch/*.js", "console/*.js"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("Glob %s: got %v, error %v, want a file or more", pattern, names, err)
		}
		for _, name := range names {
			if _, ok := loaded["/"+name]; !ok {
				t.Errorf("the console does not load %s, got %v, want one", name, loaded)
			}
		}
	}
}

// TestPagesAreCompressed: a client that takes gzip gets it, with a tag of its own.
func TestPagesAreCompressed(t *testing.T) {
	h := web.Handler()
	identity := get(t, h, "/perch.js")
	for _, tc := range []struct {
		accept, want string
	}{
		{"gzip", "gzip"}, {"br, GZIP", "gzip"}, {"gzip;q=0", ""}, {"identity", ""}, {"br", ""}, {"", ""},
	} {
		w := get(t, h, "/perch.js", "Accept-Encoding", tc.accept)
		if got := w.Header().Get("Content-Encoding"); got != tc.want {
			t.Errorf("Accept-Encoding %q: got Content-Encoding %q, want %q", tc.accept, got, tc.want)
		}
		if got, want := plain(t, w), identity.Body.String(); got != want {
			t.Errorf("Accept-Encoding %q: got %d bytes of text, want %d", tc.accept, len(got), len(want))
		}
		if got := w.Header().Get("Vary"); got != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: got Vary %q, want Accept-Encoding", tc.accept, got)
		}
		if same := w.Header().Get("ETag") == identity.Header().Get("ETag"); same != (tc.want == "") {
			t.Errorf("Accept-Encoding %q: ETag %s, without it %s: got %v, want %v", tc.accept, w.Header().Get("ETag"), identity.Header().Get("ETag"), same, tc.want == "")
		}
		again := get(t, h, "/perch.js", "Accept-Encoding", tc.accept, "If-None-Match", w.Header().Get("ETag"))
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("Accept-Encoding %q with its ETag: got %d and %d bytes, want 304 and none", tc.accept, again.Code, again.Body.Len())
		}
	}
}

// TestScriptsAreServedWithoutComments: each line of a script is served as it is, or without the
// comment that it is or that ends in it. No text goes over several lines, where a comment could be a
// part of it, and what is served is a program.
func TestScriptsAreServedWithoutComments(t *testing.T) {
	h := web.Handler()
	saved, scripts := 0, map[string]string{}
	for address := range loads(t, h) {
		if path.Ext(address) != ".js" {
			continue
		}
		script, err := os.ReadFile(address[1:])
		if err != nil {
			t.Fatalf("os.ReadFile: got error %v, want none", err)
		}
		scripts[address] = get(t, h, address).Body.String()
		served, lines := strings.Split(scripts[address], "\n"), strings.Split(string(script), "\n")
		if len(served) != len(lines) {
			t.Fatalf("%s: got %d lines, want %d", address, len(served), len(lines))
		}
		for i, line := range lines {
			text := strings.TrimSpace(line)
			comment := strings.HasPrefix(text, "//") || strings.HasPrefix(text, "/*") || strings.HasPrefix(text, "*")
			if served[i] != line && (!comment || !strings.HasSuffix(line, strings.TrimLeft(served[i], " "))) {
				t.Errorf("%s:%d: got %q, want %q, or what is left without a comment", address, i+1, served[i], line)
			}
			if strings.Count(line, "`")%2 != 0 && !comment {
				t.Errorf("%s:%d: got a text that goes over several lines, want none: %s", address, i+1, line)
			}
			saved += len(line) - len(served[i])
		}
	}
	arePrograms(t, scripts)
	if saved < 30_000 {
		t.Errorf("scripts without comments: got %d bytes less, want 30,000 or more", saved)
	}
}

// TestSheetsHaveNoComments: a rule is where it is in the file, and nothing but comments is missing.
func TestSheetsHaveNoComments(t *testing.T) {
	sheet, err := os.ReadFile("console/console.css")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	served, lines := strings.Split(get(t, web.Handler(), "/console/console.css").Body.String(), "\n"), strings.Split(string(sheet), "\n")
	if len(served) != len(lines) {
		t.Fatalf("got %d lines, want %d", len(served), len(lines))
	}
	for i, line := range lines {
		if rule := strings.ContainsAny(line, "{}"); rule && served[i] != line || strings.Contains(served[i], "*/") {
			t.Errorf("console.css:%d: got %q, want %q, and no comment", i+1, served[i], line)
		}
	}
}

// parse makes a module of each file that it is given.
const parse = `const { readFileSync } = require('fs'); const { SourceTextModule } = require('vm');
for (const file of process.argv.slice(1)) new SourceTextModule(readFileSync(file, 'utf8'), { identifier: file });`

// arePrograms reports scripts that are no modules.
func arePrograms(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	args := []string{"--experimental-vm-modules", "-e", parse}
	for address, text := range scripts {
		file := filepath.Join(dir, strings.ReplaceAll(address, "/", "_"))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatalf("os.WriteFile: got error %v, want none", err)
		}
		args = append(args, file)
	}
	bin := needs(t, "node", "install nodejs, version 20 or newer, with npm")
	if out, err := exec.CommandContext(t.Context(), bin, args...).CombinedOutput(); err != nil {
		t.Errorf("what is served: got error %v, want none:\n%s", err, out)
	}
}

func TestPagesAreSafe(t *testing.T) {
	h := web.Handler(web.Services(func() []web.Service {
		return []web.Service{{Label: `"><script>`, SignIn: "http://127.0.0.1:1/authorize?x=1&y=2", Accounts: []web.Account{{Name: `'><script>`}}}}
	}))
	for address := range loads(t, h) {
		w := get(t, h, address)
		csp := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: got the policy %q, want %q in it", address, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Content-Type") == "" {
			t.Errorf("%s: got headers %v, want nothing unsafe, nosniff, and a type", address, w.Header())
		}
		if again := get(t, h, address, "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s with its ETag: got %d and %d bytes, want %d and none", address, again.Code, again.Body.Len(), http.StatusNotModified)
		}
	}
	if body := get(t, h, "/").Body.String(); strings.Contains(body, `><script>`) {
		t.Errorf("a page: got an option as markup, want no %q in\n%s", `><script>`, body)
	}
}

// TestElsewhere: other hosts are for files and pictures alone, and each answer has them as they are now.
func TestElsewhere(t *testing.T) {
	others := web.Others{}
	h := web.Handler(web.Elsewhere(func() web.Others { return others }))
	for _, tc := range []struct {
		others web.Others
		want   []string
	}{
		{web.Others{}, []string{"img-src 'self' blob:;", "connect-src 'self';"}},
		{web.Others{Uploads: []string{"https:"}, Pictures: []string{"https:", "http://up.test:*"}}, []string{"img-src 'self' blob: https: http://up.test:*;", "connect-src 'self' https:;"}},
	} {
		others = tc.others
		csp := get(t, h, "/").Header().Get("Content-Security-Policy")
		for _, want := range append(tc.want, "default-src 'none'; script-src 'self'; style-src 'self';") {
			if !strings.Contains(csp, want) {
				t.Errorf("%+v: got the policy %q, want %q in it", tc.others, csp, want)
			}
		}
	}
	if csp := get(t, web.Admin(), "/").Header().Get("Content-Security-Policy"); !strings.Contains(csp, "connect-src 'self';") || !strings.Contains(csp, "img-src 'self' blob:;") {
		t.Errorf("the page of operators: got the policy %q, want nothing of another host", csp)
	}
}

// TestConsoleHasNoWordsOfTheDemo: what is about the embedded service comes with its description alone.
func TestConsoleHasNoWordsOfTheDemo(t *testing.T) {
	words := regexp.MustCompile(`(?i)\bdemo\b|demo-|\becho\b|contoso|messenger|scissors|\balice\b`)
	h := web.Handler()
	for address := range loads(t, h) {
		if found := words.FindString(get(t, h, address).Body.String()); found != "" && !strings.HasPrefix(address, "/perch") {
			t.Errorf("%s: got %q in it, want no word of the demo", address, found)
		}
	}
	offered := get(t, web.Handler(web.Services(func() []web.Service {
		return []web.Service{{Upstream: "office", Label: "Office & more", Password: true}}
	})), "/").Body.String()
	if want := `data-services="[{&#34;upstream&#34;:&#34;office&#34;,&#34;label&#34;:&#34;Office \u0026 more&#34;,&#34;password&#34;:true}]"`; !strings.Contains(offered, want) {
		t.Errorf("the first page: got %s, want %s in it", offered, want)
	}
}

func TestUnknownPathsAreNotFound(t *testing.T) {
	for _, address := range []string{"/index.html", "/web.go", "/console/", "/console/../web.go", "/package.json", "/test/kit.mjs", "//"} {
		r := httptest.NewRequest(http.MethodGet, "http://host/", nil)
		r.URL.Path = address
		w := httptest.NewRecorder()
		web.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusNotFound {
			t.Errorf("GET %s: got %d, want 404", address, w.Code)
		}
	}
}

// TestScriptsMakeNoMarkup: no script turns a string into markup, or into a program, and
// none names another host.
func TestScriptsMakeNoMarkup(t *testing.T) {
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://[^1\s'"]`)
	files, err := filepath.Glob("console/*")
	if err != nil || len(files) < 8 {
		t.Fatalf("got %v %v, want no error and at least 8", files, err)
	}
	modules, err := filepath.Glob("perch/*.js")
	if err != nil || len(modules) < 3 {
		t.Fatalf("got %v %v, want no error and at least 3", modules, err)
	}
	operators, err := filepath.Glob("admin/*")
	if err != nil || len(operators) < 6 {
		t.Fatalf("got %v %v, want no error and at least 6", operators, err)
	}
	for _, name := range append(append(append(files, modules...), operators...), "index.html", "perch.js") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatalf("os.ReadFile: got error %v, want none", err)
		}
		if found := forbidden.Find(text); found != nil {
			t.Errorf("%s: got %q in it, want none", name, found)
		}
	}
}
