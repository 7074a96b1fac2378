package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// tally is how many tests have passed, without the parts of tests.
type tally struct{ Passed, Failed int }

// test runs packages. That tests fail is no error: it is counted, and their output printed.
func (r *release) test(ctx context.Context, with, pattern, redis string, packages ...string) error {
	args := []string{"test", "-json", "-count=1", "-timeout=60m"}
	if r.newer() {
		args = append(args, "-tags=debian13")
	}
	if pattern != "" {
		args = append(args, "-run="+pattern)
	}
	cmd := r.command(ctx, redis, "go", append(args, packages...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	t, err := count(out, fmt.Sprintf("%s, %s", r.Name, with), os.Stdout)
	waitErr := cmd.Wait()
	if err != nil {
		return err
	}
	if waitErr != nil && t.Failed == 0 {
		return fmt.Errorf("go test: %w", waitErr) // it did not come to tests
	}
	r.Tests[with] = t
	return nil
}

// newer reports whether the release has the servers that the tests with the tag debian13 need.
func (r *release) newer() bool { return !strings.HasPrefix(r.Versions["prosody"], "0.") }

// count reads what go test -json prints. It tells of each package that is done, and of what has failed with
// its output.
func count(in io.Reader, what string, tell io.Writer) (t tally, err error) {
	output := map[string][]string{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e struct{ Action, Package, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(tell, lines.Text()) // of the compiler
			continue
		}
		key := e.Package + " " + e.Test
		top := e.Test != "" && !strings.Contains(e.Test, "/")
		switch e.Action {
		case "output":
			output[key] = append(output[key], e.Output)
		case "pass", "skip":
			if delete(output, key); top {
				t.Passed++
			}
		case "fail":
			fmt.Fprintf(tell, "%s: %s fails\n%s", what, strings.TrimSpace(key), strings.Join(output[key], ""))
			if top {
				t.Failed++
			}
		}
		if e.Test == "" && (e.Action == "pass" || e.Action == "fail") {
			fmt.Fprintf(tell, "%s: %s: %s\n", what, e.Package, e.Action)
		}
	}
	return t, lines.Err()
}
