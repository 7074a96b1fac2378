package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// closest is the name that text was probably meant to be: at most two letters are wrong, missing or
// too many, or one pair in the wrong order counts as two. "" when none is close.
func closest(text string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		if d := distance(strings.ToLower(text), strings.ToLower(name)); d < least && d < len(name) {
			best, least = name, d
		}
	}
	return best
}

// distance is how many letters have to be changed, added or removed (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// meant is ", did you mean x?" or "".
func meant(text string, names []string) string {
	if name := closest(text, names); name != "" {
		return fmt.Sprintf(", did you mean %s?", name)
	}
	return ""
}

// explainParse adds to the error of a command line what was meant by an argument that is no command.
func explainParse(err error, model *kong.Application, args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return fmt.Errorf("%w (see --help)", err)
	}
	var names []string
	for _, c := range model.Children {
		if c.Name == args[0] {
			return fmt.Errorf("%w (see perch %s --help)", err, c.Name)
		}
		names = append(names, c.Name)
	}
	return fmt.Errorf("there is no command %q%s; there are: %s (see --help)", args[0], meant(args[0], names), strings.Join(names, ", "))
}
