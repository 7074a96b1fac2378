package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// The tables of a page are between these lines; the rest of it is written by hand.
const (
	begin = "<!-- made by make matrix: begin -->\n"
	end   = "<!-- made by make matrix: end -->\n"
)

// publish writes new tables into the page of a name, or to w if it has none.
func publish(w io.Writer, name, made string) error {
	if name == "" {
		_, err := io.WriteString(w, made)
		return err
	}
	page, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if page, err = replaceTables(page, withResults(made, page)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(name, page, 0o644)
}

// withResults puts what a page says of tests into tables of what servers offer: they stay true of the run that
// they are of.
func withResults(made string, page []byte) string {
	isResult := func(line string) bool {
		return strings.HasPrefix(line, "| tests with ") || strings.HasPrefix(line, "| of these ") || strings.HasPrefix(line, "| ledger with ")
	}
	if slices.ContainsFunc(strings.Split(made, "\n"), isResult) {
		return made
	}
	var kept strings.Builder
	for line := range strings.Lines(string(page)) {
		if isResult(line) {
			kept.WriteString(line)
		}
	}
	versions, offers, ok := strings.Cut(made, "\n\n")
	if !ok || kept.Len() == 0 {
		return made
	}
	return versions + "\n" + kept.String() + "\n" + offers
}

// replaceTables puts new tables into a page.
func replaceTables(page []byte, made string) ([]byte, error) {
	before, rest, ok := bytes.Cut(page, []byte(begin))
	_, after, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		return nil, errors.New("the page has no place for the tables: want the lines " + strings.TrimSpace(begin) + " and " + strings.TrimSpace(end))
	}
	return bytes.Join([][]byte{before, []byte(begin), []byte(made), []byte(end), after}, nil), nil
}

// tables are what was found, in Markdown.
func tables(releases []*release) string {
	var b strings.Builder
	row := func(first string, cell func(*release) string) {
		fmt.Fprintf(&b, "| %s |", first)
		for _, r := range releases {
			fmt.Fprintf(&b, " %s |", cell(r))
		}
		b.WriteByte('\n')
	}
	row("", func(r *release) string { return r.Name })
	row("---", func(*release) string { return "---" })
	for _, p := range []struct{ name, label string }{{"prosody", "Prosody"}, {"ejabberd", "ejabberd"}, {"redis-server", "Redis"}, {"valkey-server", "Valkey"}} {
		row(p.label, func(r *release) string { return cmp.Or(r.Versions[p.name], "none") })
	}
	tested := slices.ContainsFunc(releases, func(r *release) bool { return r.Tests != nil })
	for _, with := range []string{"XMPP", "Redis", "Valkey"} {
		if !tested {
			break
		}
		label := map[string]string{"XMPP": "tests with both XMPP servers", "Redis": "tests with Redis", "Valkey": "tests with Valkey"}[with]
		row(label, func(r *release) string { return r.Tests[with].String() })
		if with == "XMPP" {
			row("of these with the embedded service [today](today.md), too", func(r *release) string { return r.Embedded.String() })
		}
	}
	for _, server := range servers {
		if !tested {
			break
		}
		row("ledger with "+serverLabel(server), func(r *release) string { return cmp.Or(r.Ledger[server], "none") })
	}
	b.WriteString("\nWhat the servers offer in the configuration of the tests (`internal/testkit`):\n\n")
	var columns []column
	for _, server := range servers {
		for _, r := range releases {
			columns = append(columns, column{serverLabel(server) + " " + r.Versions[server], r.Offers[server]})
		}
	}
	if len(releases) > 0 { // the same in each
		columns = append(columns, column{embeddedServer, releases[0].Offers[embeddedServer]})
	}
	offered(&b, columns)
	return b.String()
}

func (t tally) String() string {
	switch {
	case t.Passed+t.Failed == 0:
		return "none"
	case t.Failed > 0:
		return fmt.Sprintf("%d passed, **%d failed**", t.Passed, t.Failed)
	}
	return fmt.Sprintf("%d passed", t.Passed)
}

func serverLabel(server string) string {
	if server == "prosody" {
		return "Prosody"
	}
	return server
}

// column is a server of one version.
type column struct {
	label string
	offer offer
}

func offered(b *strings.Builder, columns []column) {
	row := func(first string, cell func(offer) string) {
		fmt.Fprintf(b, "| %s |", first)
		for _, c := range columns {
			fmt.Fprintf(b, " %s |", cell(c.offer))
		}
		b.WriteByte('\n')
	}
	b.WriteString("| |")
	for _, c := range columns {
		fmt.Fprintf(b, " %s |", c.label)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(columns)) + "\n")
	row("SASL mechanisms", func(o offer) string { return cmp.Or(strings.Join(o.Mechanisms, ", "), "none") })
	row("channel bindings (XEP-0440)", func(o offer) string { return cmp.Or(strings.Join(o.Bindings, ", "), "not told") })
	for _, f := range features {
		row(f.label, func(o offer) string {
			if o.Has[f.name] {
				return "yes"
			}
			return "no"
		})
	}
}
