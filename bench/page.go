package main

import (
	"fmt"
	"os"
	"strings"
)

// publish puts the figures into the tables of a page: a row that begins with the name of a
// figure gets its value and its ratio, and keeps its words.
func (r *report) publish(path string) error {
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
		if name == "" {
			page.WriteString(line)
			continue
		}
		x, ok := by[name]
		if !ok {
			return fmt.Errorf("%s has %q, which was not measured", path, name)
		}
		cells[2], cells[3] = " "+x.figure()+" ", " "+x.ratio()+" "
		page.WriteString(strings.Join(cells, "|"))
	}
	return os.WriteFile(path, []byte(page.String()), 0o644)
}

// figureOf splits a row of a table of figures: its name in backticks, value, ratio, words.
func figureOf(line string) (name string, cells []string) {
	cells = strings.Split(line, "|")
	if len(cells) != 6 {
		return "", nil
	}
	name, begins := strings.CutPrefix(strings.TrimSpace(cells[1]), "`")
	name, ends := strings.CutSuffix(name, "`")
	if !begins || !ends {
		return "", nil
	}
	return name, cells
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
