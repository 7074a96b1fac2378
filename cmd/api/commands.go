package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// command is one of the program's commands as the manual page and the completions show it. Both are
// made of what parses the command line, so that they know every setting that there is.
type command struct {
	path  string // with the program's name: "perch serve"
	node  *kong.Node
	flags []*kong.Flag // its own and those of all commands, in the order of --help
}

// commands lists the program itself and every command that is not hidden, parents first. What the
// default command takes may stand without its name.
func commands(model *kong.Application) []command {
	var list []command
	var add func(path string, n *kong.Node)
	add = func(path string, n *kong.Node) {
		c := command{path: path, node: n, flags: visibleFlags(n)}
		if n.DefaultCmd != nil {
			c.flags = visibleFlags(n.DefaultCmd)
		}
		list = append(list, c)
		for _, child := range n.Children {
			if !child.Hidden && child.Type == kong.CommandNode {
				add(path+" "+child.Name, child)
			}
		}
	}
	add(model.Name, model.Node)
	return list
}

func visibleFlags(n *kong.Node) []*kong.Flag {
	var flags []*kong.Flag
	for _, group := range n.AllFlags(true) {
		flags = append(flags, group...)
	}
	return flags
}

// subcommands are those below c.
func (c command) subcommands() []*kong.Node {
	return slices.DeleteFunc(slices.Clone(c.node.Children), func(n *kong.Node) bool {
		return n.Hidden || n.Type != kong.CommandNode
	})
}

// summary is the first sentence of a help, without its end.
func summary(help string) string {
	if end := sentence.FindStringIndex(help); end != nil {
		help = help[:end[0]]
	}
	return strings.TrimSuffix(help, ".")
}

var sentence = regexp.MustCompile(`[.;:] `)

// choices are the values that a flag may have, or none where that is open.
func choices(f *kong.Flag) []string {
	if f.Enum == "" {
		return nil
	}
	return f.EnumSlice()
}

// takesFile reports whether the value of a flag is the name of a file.
func takesFile(f *kong.Flag) bool { return f.PlaceHolder == "FILE" }
