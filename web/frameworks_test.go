package web_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReact runs the hooks under React, in a document of jsdom.
func TestReact(t *testing.T) {
	if err := modulesOf("react"); err != nil {
		t.Fatalf("modulesOf: got error %v, want none", err)
	}
	nodeFile(t, "react/test/hooks.mjs")
}

// TestSvelte runs the stores under Svelte's store contract.
func TestSvelte(t *testing.T) {
	if err := modulesOf("svelte"); err != nil {
		t.Fatalf("modulesOf: got error %v, want none", err)
	}
	nodeFile(t, "svelte/test/stores.mjs")
}

// TestFrameworkTypes holds the declarations of both packages against their modules, and compiles a program
// on them as npm packs them.
func TestFrameworkTypes(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, ".", "perch")
	for _, folder := range []string{"react", "svelte"} {
		if err := modulesOf(folder); err != nil {
			t.Fatalf("modulesOf: got error %v, want none", err)
		}
		fresh := t.TempDir()
		tsc(t, folder, "-p", "tsconfig.json", "--outDir", fresh)
		want, err := os.ReadFile(filepath.Join(fresh, "index.d.ts"))
		if err != nil {
			t.Fatalf("os.ReadFile: got error %v, want none", err)
		}
		installed := install(t, dir, folder, folder)
		have, err := os.ReadFile(filepath.Join(installed, "index.d.ts"))
		if err != nil || string(have) != string(want) {
			t.Errorf("index.d.ts of %s is not what its module says: run npm run types there: got error %v and %s, want none and %s", folder, err, have, want)
		}
		files, err := filepath.Glob(filepath.Join(installed, "*"))
		if err != nil || len(files) != 4 {
			t.Errorf("the package of %s: got %v, error %v, want a module, its declarations, package.json and a README", folder, files, err)
		}
	}
	react, err := filepath.Abs("react/node_modules/@types")
	if err != nil {
		t.Fatalf("filepath.Abs: got error %v, want none", err)
	}
	if err := os.Symlink(react, filepath.Join(dir, "node_modules/@types")); err != nil {
		t.Fatalf("os.Symlink: got error %v, want none", err)
	}
	if out, err := exec.CommandContext(t.Context(), "cp", "testdata/consumer/frameworks.tsx", "testdata/consumer/package.json", dir).CombinedOutput(); err != nil {
		t.Fatalf("cp: got error %v, want none\n%s", err, out)
	}
	for _, options := range []string{"--module nodenext", "--module esnext --moduleResolution bundler"} {
		args := append(strings.Fields(options), "--noEmit", "--strict", "--exactOptionalPropertyTypes", "--jsx", "react-jsx", "--target", "es2023", "--skipLibCheck", "frameworks.tsx")
		tsc(t, dir, args...)
	}
}
