package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// completeInBash is what bash offers when the cursor is behind the last of words.
func completeInBash(t *testing.T, script string, words ...string) []string {
	t.Helper()
	text := `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }; _perch; printf '%s\n' "${COMPREPLY[@]}"`
	out, err := exec.Command("bash", append([]string{"--norc", "-c", text, "bash", script}, words...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("bash: got error %v, %s, want none", err, out)
	}
	return strings.Fields(string(out))
}

func TestCompletionInBash(t *testing.T) {
	script := filepath.Join(t.TempDir(), "perch")
	if err := os.WriteFile(script, []byte(printed(t, "completion", "bash")), 0o600); err != nil {
		t.Fatalf("WriteFile: got error %v, want none", err)
	}
	for _, tt := range []struct {
		words      []string
		want, none string
	}{
		{[]string{"perch", ""}, "messenger", "man"},
		{[]string{"perch", "--admin-l"}, "--admin-listen", "--listen"},
		{[]string{"perch", "--vers"}, "--version", "--json"},
		{[]string{"perch", "serve", "--redis"}, "--redis-url", "--version"},
		{[]string{"perch", "messenger", "--"}, "--ca-out", "--redis-url"},
		{[]string{"perch", "--log-level", ""}, "debug", "--log-format"},
		{[]string{"perch", "--log-level", "=", "w"}, "warn", "debug"},
		{[]string{"perch", "--idle", "="}, "sign-out", "messenger"},
		{[]string{"perch", "version", "--"}, "--json", "--listen"},
		{[]string{"perch", "completion", ""}, "zsh", "serve"},
		{[]string{"perch", "--listen", ""}, "", "serve"},
	} {
		got := completeInBash(t, script, tt.words...)
		if tt.want != "" && !slices.Contains(got, tt.want) || slices.Contains(got, tt.none) {
			t.Errorf("%q: got %q, want %q in it and no %q", tt.words, got, tt.want, tt.none)
		}
	}
}

// TestCompletionKnowsEveryFlag: each script has each command and each flag of it.
func TestCompletionKnowsEveryFlag(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		text := printed(t, "completion", shell)
		for _, want := range []string{"perch serve", "perch messenger", "perch health", "redis-url", "ca-out", "timeout", "sign-out", "debug"} {
			if !strings.Contains(text, want) {
				t.Errorf("the script of %s lacks %q, want it", shell, want)
			}
		}
	}
}

func TestSummary(t *testing.T) {
	for help, want := range map[string]string{
		"Address of the gateway.":                   "Address of the gateway",
		"How long, in all; 0 = never. Linux only.":  "How long, in all",
		"Where they are, such as http://10.0.0.5:1": "Where they are, such as http://10.0.0.5:1",
	} {
		if got := summary(help); got != want {
			t.Errorf("summary(%q) = %q, want %q", help, got, want)
		}
	}
}

// TestManual: the page has every command with every setting, its variable, and no line that roff
// would take for a request.
func TestManual(t *testing.T) {
	released(t)
	page := printed(t, "man")
	for _, want := range []string{
		`.TH PERCH 1 "2026-11-29" "Perch 1.2.3" "User Commands"`, ".SH SETTINGS OF PERCH MESSENGER", ".B perch health",
		`.B \-\-redis\-url\fR=URL`, `\fBPERCH_REDIS_URL\fR`, `.B \-\-ca\-out\fR=FILE`, ".SH EXIT STATUS",
	} {
		if !strings.Contains(page, want+"\n") && !strings.Contains(page, want+".") {
			t.Errorf("the page lacks %q, want it", want)
		}
	}
	for line := range strings.Lines(page) {
		if request, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(request, ".") && !slices.Contains([]string{".TH", ".SH", ".TP", ".PP", ".B", ".I", ".br", ".ad"}, request) {
			t.Errorf("roff takes %q for a request, want none but those of a page", line)
		}
	}
	if n := strings.Count(page, `.B \-\-config\fR`); n != 1 {
		t.Errorf("--config is explained %d times, want once", n)
	}
}
