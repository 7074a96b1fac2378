package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/perch-im/perch/app"
)

// checkTime bounds perch check: the longest login, and Redis.
const checkTime = 45 * time.Second

type checkCommand struct {
	JSON bool `name:"json" env:"-" help:"Print one JSON object: ok, and checks with name, result (ok, warning, failed), detail, cause and advice."`
	gatewaySettings
}

// Help is what --help says below the summary.
func (*checkCommand) Help() string {
	return `Takes the settings of the gateway: flags, environment, file. For each upstream it looks up the name, connects to every place that DNS or --upstream names, starts TLS, checks the certificate and lists the mechanisms that a login could use. It has no credential and sends none; of Redis it asks what the gateway asks at its start.

The status is 0 when nothing failed, and 1 otherwise; warnings do not count.`
}

// checkReport is what --json prints.
type checkReport struct {
	OK     bool          `json:"ok"`
	Checks []app.Finding `json:"checks"`
}

// Run prints what was found, and fails when something of it failed.
func (c *checkCommand) Run(ctx context.Context, stdout io.Writer, file *fileUpstreams) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	o, err := c.options(*file)
	if err != nil {
		return err
	}
	found := append(app.Check(ctx, o), c.exposed()...)
	failed := 0
	for _, f := range found {
		if f.Result == app.FindingFailed {
			failed++
		}
	}
	if c.JSON {
		err = json.NewEncoder(stdout).Encode(checkReport{OK: failed == 0, Checks: found})
	} else {
		err = printFindings(stdout, found)
	}
	if err == nil && failed > 0 {
		err = fmt.Errorf("%d of %d checks failed", failed, len(found))
	}
	return err
}

// printFindings is for people: a line for each finding, and below it what to do.
func printFindings(w io.Writer, found []app.Finding) error {
	width := 0
	for _, f := range found {
		width = max(width, len(f.Name))
	}
	var text strings.Builder
	for _, f := range found {
		fmt.Fprintf(&text, "%-*s  %-7s  %s\n", width, f.Name, f.Result, printable(f.Detail))
		if f.Advice != "" {
			fmt.Fprintf(&text, "%-*s  %-7s  -> %s\n", width, "", "", printable(f.Advice))
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}
