// Command bench measures Perch and writes bench/results.json: framing and decoding beside
// encoding/xml, the memory of an idle session beside a bare mellium session, and what
// Redis costs beside the memory store, all in one run, so that the ratios mean something
// on any machine.
//
//	go run ./bench                  # everything; about three minutes
//	go run ./bench -sessions 10000  # the memory at another size
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench: "+err.Error())
		os.Exit(1)
	}
}

// roles are what this program does as a child of itself.
var roles = map[string]func(context.Context, []string) error{
	"server":  serverRole,
	"gateway": gatewayRole,
	"bare":    bareRole,
	"load":    loadRole,
	"front":   frontRole,
}

func run(ctx context.Context, args []string, stdout, progress io.Writer) error {
	if len(args) > 0 && roles[args[0]] != nil {
		return roles[args[0]](ctx, args[1:])
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	count := flags.Int("sessions", 2000, "idle sessions whose memory is measured")
	buddies := flags.Int("buddies", 50, "buddies of each session, all with presence")
	out := flags.String("out", "bench/results.json", "where the figures go; empty: nowhere")
	only := flags.String("only", "", "one part: benchmarks, memory or load")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r := newReport()
	for _, part := range []struct {
		name string
		run  func() error
	}{
		{"benchmarks", func() error { return goBenchmarks(ctx, r, progress, suites) }},
		{"memory", func() error { return memory(ctx, r, progress, *count, *buddies) }},
		{"latency", func() error { return latency(ctx, r, progress) }},
		{"load", func() error { return load(ctx, r, progress, *count, *buddies) }},
	} {
		if *only != "" && *only != part.name {
			continue
		}
		if err := part.run(); err != nil {
			return err
		}
	}
	r.compare()
	if err := r.print(stdout); err != nil {
		return err
	}
	if *out == "" {
		return nil
	}
	return r.save(*out)
}
