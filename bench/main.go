// Command bench measures Perch and writes bench/results.json and the tables of
// docs/performance.md: framing and decoding beside encoding/xml, the memory of an idle
// session beside a bare mellium session, the latency of a message beside the server's own
// WebSocket, and what Redis costs beside the memory store, all in one run, so that the
// ratios mean something on any machine.
//
//	go run ./bench                  # everything; about seven minutes
//	go run ./bench -only latency    # one part
//	go run ./bench -only memory -sessions 10000 -out ''  # at another size; nothing is written
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
	"storm":   stormRole,
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
	page := flags.String("page", "docs/performance.md", "whose tables get the figures; empty: none")
	only := flags.String("only", "", "one part: benchmarks, memory, storm, latency or load; the other figures stay")
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
		{"storm", func() error { return storm(ctx, r, progress, stormSessions, *buddies) }},
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
	if *only != "" {
		if err := r.keep(*out); err != nil {
			return err
		}
	}
	if err := r.save(*out); err != nil {
		return err
	}
	if *page == "" {
		return nil
	}
	return r.publish(*page)
}
