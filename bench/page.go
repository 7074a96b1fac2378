package main

import (
	"fmt"
	"os"
	"strings"
)

// notMeasured stands where a figure of the page is not in the list.
const notMeasured = "not measured"

// machineLine begins the line of the page that says what was measured on.
const machineLine = "Machine: "

// publish puts the figures into the tables of a page. A row that begins with the name of a
// figure gets its value and its ratio, and keeps its words; one that begins with the name of
// the cores of a part gets what each kind of process has used.
func (r *report) publish(path, machine string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	by := map[string]result{}
	for _, x := range r.results {
		by[x.Name] = x
	}
	var page strings.Builder
	for line := range strings.Lines(string(text)) {
		name, cells := figureOf(line)
		switch {
		case strings.HasPrefix(line, machineLine):
			line = machineLine + machine + ".\n"
		case name == "":
		case len(cells) == figureCells:
			x, ok := by[name]
			if cells[2], cells[3] = " "+notMeasured+" ", "  "; ok {
				cells[2], cells[3] = " "+x.figure()+" ", " "+x.ratio()+" "
			}
			line = strings.Join(cells, "|")
		default:
			for i, kind := range kinds {
				cells[2+i] = " " + coresCell(by, name, kind) + " "
			}
			cells[2+len(kinds)] = " " + notMeasured + " "
			if x, ok := by[name+", time"]; ok {
				cells[2+len(kinds)] = " " + x.figure() + " "
			}
			line = strings.Join(cells, "|")
		}
		page.WriteString(line)
	}
	return os.WriteFile(path, []byte(page.String()), 0o644)
}

// Rows have a cell before the first and one behind the last bar.
const figureCells = 6 // of a figure: name, value, ratio, words

var coresCells = 4 + len(kinds) // of the cores of a part: name, kinds, time

// figureOf splits a row of a table of figures, whose name stands in backticks.
func figureOf(line string) (name string, cells []string) {
	cells = strings.Split(line, "|")
	if len(cells) != figureCells && len(cells) != coresCells {
		return "", nil
	}
	name, begins := strings.CutPrefix(strings.TrimSpace(cells[1]), "`")
	name, ends := strings.CutSuffix(name, "`")
	if !begins || !ends || (len(cells) == coresCells) != strings.HasPrefix(name, coresOf) {
		return "", nil
	}
	return name, cells
}

// coresCell is user and system time of the processes of a kind; "" when there were none.
func coresCell(by map[string]result, name, kind string) string {
	user, ok := by[name+", "+kind+" user"]
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.1f + %.1f", user.Value, by[name+", "+kind+" system"].Value)
}

// figure is the value with three digits and its unit.
func (x result) figure() string {
	value := fmt.Sprintf("%.3g", x.Value)
	if x.Value >= 100 {
		value = fmt.Sprintf("%.0f", x.Value)
	}
	return value + " " + x.Unit
}

// ratio is the ratio with what it is compared with; "" without one.
func (x result) ratio() string {
	if x.Ratio == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f × `%s`", x.Ratio, x.ComparedWith)
}
