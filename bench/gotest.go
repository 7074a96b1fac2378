package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
)

// suite is one group of go test benchmarks. Compare maps a benchmark to those that its
// time is set against; with the first one all its figures are.
type suite struct {
	pkg, pattern string
	compare      map[string][]string
}

// goBenchmarks runs suites with go test and records ns, bytes and allocations.
func goBenchmarks(ctx context.Context, r *report, progress io.Writer, suites []suite) error {
	for _, s := range suites {
		fmt.Fprintf(progress, "benchmarks of %s ...\n", s.pkg)
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", s.pattern, "-benchmem", "-benchtime", "300ms", s.pkg)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", s.pkg, err, out)
		}
		recordLines(r, s, out)
	}
	return nil
}

// recordLines reads lines such as "BenchmarkX/presence-2  100  12 ns/op  3 B/op  1 allocs/op".
func recordLines(r *report, s suite, out []byte) {
	short := s.pkg[strings.LastIndexByte(s.pkg, '/')+1:]
	for sc := bufio.NewScanner(bytes.NewReader(out)); sc.Scan(); {
		f := strings.Fields(sc.Text())
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		name := benchmarkName(f[0])
		for i := 2; i+1 < len(f); i += 2 {
			v, err := strconv.ParseFloat(f[i], 64)
			if err != nil {
				continue
			}
			unit := f[i+1]
			figure, with := short+"/"+name+" "+unit, ""
			if bases := s.compare[name]; len(bases) > 0 {
				with = short + "/" + bases[0] + " " + unit
			}
			r.add(figure, v, unit, with)
			if bases := s.compare[name]; len(bases) > 1 && unit == "ns/op" {
				for _, base := range bases[1:] {
					r.add(figure+" beside "+base, v, unit, short+"/"+base+" "+unit)
				}
			}
		}
	}
}

// benchmarkName drops "Benchmark" and the trailing -GOMAXPROCS.
func benchmarkName(s string) string {
	s = strings.TrimPrefix(s, "Benchmark")
	if i := strings.LastIndexByte(s, '-'); i > 0 {
		if _, err := strconv.Atoi(s[i+1:]); err == nil {
			s = s[:i]
		}
	}
	return s
}
