package main

import (
	"fmt"
	"os"
	"slices"
)

// bencher lets the test kit start a server for this program: what would be the end of a
// test is the end of the measurement.
type bencher struct{ cleanup []func() }

func (*bencher) Helper()                 {}
func (*bencher) Name() string            { return "bench" }
func (*bencher) Logf(f string, a ...any) { fmt.Fprintf(os.Stderr, f+"\n", a...) }

// Errorf implements testkit.TB.
func (*bencher) Errorf(f string, a ...any) { panic(fmt.Errorf(f, a...)) }

// Fatalf implements testkit.TB; withTestkit turns the panic into an error.
func (*bencher) Fatalf(f string, a ...any) { panic(fmt.Errorf(f, a...)) }

// Cleanup implements testkit.TB.
func (b *bencher) Cleanup(f func()) { b.cleanup = append(b.cleanup, f) }

// withTestkit runs f, and afterwards stops what it has started with the test kit.
func withTestkit(f func(b *bencher) error) (err error) {
	b := &bencher{}
	defer func() {
		for _, f := range slices.Backward(b.cleanup) {
			f()
		}
	}()
	defer func() {
		if r, ok := recover().(error); ok {
			err = r
		}
	}()
	return f(b)
}
