package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/perch-im/perch/app"
)

// What `make release` sets by the linker (-X main.release=1.2.0), and the Dockerfile: builds of a
// plain tree know none of it.
var (
	release string // the version, without the v of the tag
	commit  string // the hash of the commit
	date    string // that of the commit, RFC 3339
)

// version is the one of a release, or the module version that go install recorded, or "dev".
func version() string {
	if release != "" {
		return release
	}
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" && b.Main.Version != "(devel)" {
		return strings.TrimPrefix(b.Main.Version, "v")
	}
	return "dev"
}

// source is the commit that the program was built from and its date, as far as they are known:
// from `make release`, or from go build inside of a clone.
func source() (hash, at string) {
	if commit != "" {
		return commit, date
	}
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return "", ""
	}
	for _, s := range b.Settings {
		switch s.Key {
		case "vcs.revision":
			hash = s.Value + hash
		case "vcs.time":
			at = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				hash += "-dirty"
			}
		}
	}
	return hash, at
}

// versionCommand is `perch version`, and `perch --version`.
type versionCommand struct {
	JSON bool `name:"json" env:"-" help:"As JSON."`
}

// versions is what it prints: the fields only grow.
type versions struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Date    string `json:"date,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	Records any    `json:"records"` // app.Formats
}

// Run prints the version.
func (v versionCommand) Run(k *kong.Context) error {
	hash, at := source()
	if !v.JSON {
		return printVersion(k.Stdout, hash, at)
	}
	enc := json.NewEncoder(k.Stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(versions{
		Version: version(), Commit: hash, Date: at,
		Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, Records: app.Formats(),
	})
}

// printVersion has the version alone in its first line, for scripts.
func printVersion(w io.Writer, hash, at string) error {
	text := "perch " + version() + "\n"
	if hash != "" {
		text += fmt.Sprintf("commit   %s, %s\n", hash, at)
	}
	text += fmt.Sprintf("go       %s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	records := make([]string, 0, 4)
	for _, f := range app.Formats() {
		record := fmt.Sprintf("%s %d", f.Record, f.Writes)
		if len(f.Reads) > 1 {
			record += fmt.Sprintf(" (reads %s)", strings.Trim(strings.ReplaceAll(fmt.Sprint(f.Reads), " ", ", "), "[]"))
		}
		records = append(records, record)
	}
	_, err := fmt.Fprintf(w, "%srecords  %s\n", text, strings.Join(records, ", "))
	return err
}
