package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// dependents are packages whose tests hold limits of another, by folder.
var dependents = map[string][]string{
	"sessions": {"./api"},
	"cache":    {"./sessions"},
	"app":      {"./cmd/api"},
}

// settings of a run.
type settings struct {
	only    *regexp.Regexp // names of limits
	run     string         // -run of the tests
	timeout time.Duration  // of the tests of one package
	own     bool           // without dependents
	list    bool
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("mutate: ")
	var s settings
	only := flag.String("only", "", "change `limits` alone whose name fits this expression")
	flag.StringVar(&s.run, "run", "", "run `tests` alone whose name fits this expression")
	flag.DurationVar(&s.timeout, "timeout", 3*time.Minute, "of the tests of a package; what takes longer is found")
	flag.BoolVar(&s.own, "own", false, "without the tests of other packages")
	flag.BoolVar(&s.list, "list", false, "list the limits, and change none")
	flag.Parse()
	s.only = regexp.MustCompile(*only)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	survived, err := s.mutate(ctx, flag.Args())
	stop()
	if err != nil {
		log.Fatal(err)
	}
	if survived > 0 {
		log.Fatalf("%d limits are held by no test", survived)
	}
}

// mutate changes every limit of the packages in turn, and counts those that no test holds.
func (s settings) mutate(ctx context.Context, packages []string) (survived int, err error) {
	for _, dir := range packages {
		limits, err := limitsOf(dir)
		if err != nil {
			return survived, err
		}
		tested := []string{"./" + filepath.ToSlash(filepath.Clean(dir))}
		if !s.own {
			tested = append(tested, dependents[filepath.Base(dir)]...)
		}
		if err := s.baseline(ctx, tested); err != nil {
			return survived, err
		}
		for _, l := range limits {
			if !s.only.MatchString(l.name) {
				continue
			}
			verdict := ""
			if !s.list {
				if verdict, err = s.try(ctx, l, tested); err != nil {
					return survived, err
				}
			}
			if verdict == "SURVIVED" {
				survived++
			}
			fmt.Fprintf(os.Stdout, "%s:%d %s %s -> %s\t%s\n", l.file, l.line, l.name, l.text, l.changed(), verdict)
		}
	}
	return survived, nil
}

// baseline is an error when the tests fail as it is: then they would kill every mutant.
func (s settings) baseline(ctx context.Context, packages []string) error {
	for _, p := range packages {
		if s.list {
			return nil
		}
		if verdict, err := s.test(ctx, "", p); err != nil || verdict != "" {
			return errors.Join(fmt.Errorf("%s fails without a mutant: %s", p, verdict), err)
		}
	}
	return nil
}

// try runs the tests with one mutant until one of them fails.
func (s settings) try(ctx context.Context, l limit, packages []string) (verdict string, err error) {
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	overlay, err := l.overlay(dir)
	if err != nil {
		return "", err
	}
	for _, p := range packages {
		verdict, err := s.test(ctx, overlay, p)
		if verdict != "" || err != nil {
			return verdict, err
		}
	}
	return "SURVIVED", nil
}

// overlay writes the mutant and the file that the go command reads it by.
func (l limit) overlay(dir string) (string, error) {
	src, err := os.ReadFile(l.file)
	if err != nil {
		return "", err
	}
	file, err := filepath.Abs(l.file)
	if err != nil {
		return "", err
	}
	mutant, list := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	text, err := json.Marshal(map[string]map[string]string{"Replace": {file: mutant}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(mutant, l.mutant(src), 0o600); err != nil {
		return "", err
	}
	return list, os.WriteFile(list, text, 0o600)
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// test runs the tests of one package. An empty verdict: all passed.
func (s settings) test(ctx context.Context, overlay, p string) (verdict string, err error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-overlay="+overlay, "-count=1", "-failfast", "-vet=off", "-ldflags=-s -w", "-run="+s.run, "-timeout="+s.timeout.String(), p)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	text := out.String()
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err == nil:
		return "", nil
	case strings.Contains(text, "[build failed]"):
		return "does not build", nil
	case strings.Contains(text, "panic: test timed out"):
		return "killed by " + p + " (time)", nil
	}
	if all := failed.FindAllStringSubmatch(text, -1); len(all) > 0 {
		return "killed by " + p + " " + all[len(all)-1][1], nil
	}
	if strings.Contains(text, "FAIL") {
		return "killed by " + p, nil
	}
	return "", fmt.Errorf("%s: %w\n%s", p, err, text)
}
