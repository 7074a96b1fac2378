package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// manCommand prints the manual page that packages install.
type manCommand struct{}

// Run prints perch(1) in the man macros of roff.
func (manCommand) Run(k *kong.Context) error {
	text := &strings.Builder{}
	writeManual(text, k.Model, commands(k.Model))
	_, err := io.WriteString(k.Stdout, text.String())
	return err
}

func writeManual(w io.Writer, model *kong.Application, list []command) {
	_, at := source()
	day, _, _ := strings.Cut(at, "T")
	fmt.Fprintf(w, ".TH PERCH 1 %q \"Perch %s\" \"User Commands\"\n", day, version())
	fmt.Fprint(w, ".ad l\n.SH NAME\nperch \\- an XMPP session gateway\n.SH SYNOPSIS\n")
	for _, c := range list {
		if len(c.subcommands()) == 0 || c.node.DefaultCmd != nil {
			fmt.Fprintf(w, ".B %s\n%s\n.br\n", roff(c.path), roff(synopsis(c)))
		}
	}
	fmt.Fprint(w, ".B perch \\-\\-version\n")
	fmt.Fprintf(w, ".SH DESCRIPTION\n%s\n", roff(model.Help))
	fmt.Fprint(w, ".SH COMMANDS\n")
	for _, c := range list[1:] {
		fmt.Fprintf(w, ".TP\n.B %s\n%s\n", roff(c.path), roff(c.node.Help))
	}
	shared := map[string]bool{}
	for _, c := range list[1:] {
		writeSettings(w, c, shared)
	}
	fmt.Fprint(w, manualEnd)
}

// synopsis are the arguments of a command.
func synopsis(c command) string {
	parts := []string{"[flags]"}
	for _, p := range c.node.Positional {
		parts = append(parts, p.Summary())
	}
	return strings.Join(parts, " ")
}

// writeSettings lists the flags of a command, without those that every command has after the first.
func writeSettings(w io.Writer, c command, shared map[string]bool) {
	begun := false
	for _, f := range c.flags {
		if inherited(c, f) {
			continue
		}
		if common := f.Name == "help" || f.Name == "config"; common {
			if shared[f.Name] {
				continue
			}
			shared[f.Name] = true
		}
		if !begun {
			fmt.Fprintf(w, ".SH SETTINGS OF %s\n", roff(strings.ToUpper(c.path)))
			begun = true
		}
		value := ""
		if !f.IsBool() {
			value = "=" + f.FormatPlaceHolder()
		}
		fmt.Fprintf(w, ".TP\n.B \\-\\-%s\\fR%s\n%s\n", roff(f.Name), roff(value), roff(f.Help))
		if len(f.Envs) > 0 {
			fmt.Fprintf(w, "Environment: \\fB%s\\fR.\n", roff(strings.Join(f.Envs, ", ")))
		}
	}
}

// inherited reports whether a flag stands among those of the command above already.
func inherited(c command, f *kong.Flag) bool {
	above := c.node.Parent
	return above != nil && above.Type == kong.CommandNode && slices.Contains(above.Flags, f)
}

// roff is a text in which nothing is a request or an escape.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "\n\n", "\n.PP\n").Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") && line != ".PP" {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

const manualEnd = `.SH FILES
.TP
.I /etc/perch/perch.yaml
Settings of the Debian package's service: the names of flags, and a list of upstreams.
.TP
.I /etc/perch/perch.env
Its secrets, such as \fBPERCH_SECRET\fR, as variables of the environment.
.SH SIGNALS
.TP
.B SIGTERM, SIGINT
Event streams are asked to reconnect, sessions are handed over to another node or kept in Redis, and
the process ends. A second SIGINT ends it at once.
.SH EXIT STATUS
.TP
.B 0
It was stopped, or it has done what was asked.
.TP
.B 1
It has failed; the last line says why.
.TP
.B 3
Another process has taken the name of this node (\fB\-\-node\fR): it is not to be started again.
.SH SEE ALSO
The API is at \fI/docs\fR of a running gateway, the guides in \fI/usr/share/doc/perch\fR.
`
