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

// tally is how many tests have passed and failed, without the parts of tests. One that was skipped has not
// passed, and neither has a package that fails by itself.
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
	t, parts, err := count(out, fmt.Sprintf("%s, %s", r.Name, with), os.Stdout)
	waitErr := cmd.Wait()
	if err != nil {
		return err
	}
	if waitErr != nil && t.Failed == 0 {
		return fmt.Errorf("go test: %w", waitErr) // it ran no package
	}
	r.Tests[with] = t
	r.Embedded = r.Embedded.plus(parts)
	return nil
}

// newer reports whether the release has the servers that the tests with the tag debian13 need.
func (r *release) newer() bool { return !strings.HasPrefix(r.Versions["prosody"], "0.") }

// event is a line of go test -json.
type event struct{ Action, Package, Test, Output string }

// plus adds two tallies.
func (t tally) plus(u tally) tally { return tally{t.Passed + u.Passed, t.Failed + u.Failed} }

// count reads what go test -json prints. It tells of each package that is done, and of what has failed with
// its output. embedded are the tests that ran with the embedded service, too: those with a part of its name.
func count(in io.Reader, what string, tell io.Writer) (t, embedded tally, err error) {
	output, failed := map[string][]string{}, map[string]bool{}
	parts := map[string]bool{} // by tests with such parts: whether all of them have passed
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(tell, lines.Text())
			continue
		}
		key := strings.TrimSpace(e.Package + " " + e.Test)
		if test, ok := e.embedded(); ok {
			passed, seen := parts[test]
			parts[test] = e.Action == "pass" && (passed || !seen)
		}
		switch {
		case e.Action == "build-output":
			fmt.Fprint(tell, e.Output)
		case e.Action == "output":
			output[key] = append(output[key], e.Output)
		case e.Action == "pass" && e.Test == "":
			fmt.Fprintf(tell, "%s: %s: pass\n", what, key)
		case e.Action == "pass":
			if delete(output, key); e.top() {
				t.Passed++
			}
		case e.Action == "fail", e.Action == "skip" && e.Test != "":
			fmt.Fprintf(tell, "%s: %s: %s\n%s", what, key, e.Action, strings.Join(output[key], ""))
			if e.top() || e.Action == "skip" || e.Test == "" && !failed[e.Package] {
				t.Failed++
			}
			failed[e.Package] = true
		}
	}
	for _, passed := range parts {
		if passed {
			embedded.Passed++
		} else {
			embedded.Failed++
		}
	}
	return t, embedded, lines.Err()
}

// embedded returns the test of a part that has ended and ran with the embedded service.
func (e event) embedded() (test string, ok bool) {
	test, part, _ := strings.Cut(e.Test, "/")
	done := e.Action == "pass" || e.Action == "fail" || e.Action == "skip"
	return e.Package + " " + test, done && (part == embeddedServer || strings.HasPrefix(part, embeddedServer+"_"))
}

// top reports whether it is about a test, and not about a part of one.
func (e event) top() bool { return e.Test != "" && !strings.Contains(e.Test, "/") }
