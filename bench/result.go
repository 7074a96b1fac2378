package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"text/tabwriter"
)

// result is one figure of bench/results.json. A name never changes its meaning. Ratio is
// Value / the value of ComparedWith, measured in the same run; 0 when nothing is compared.
type result struct {
	Name         string  `json:"name"`
	Value        float64 `json:"value"`
	Unit         string  `json:"unit"`
	ComparedWith string  `json:"compared_with,omitempty"`
	Ratio        float64 `json:"ratio,omitempty"`
	Part         string  `json:"part"`
	Commit       string  `json:"commit,omitempty"` // of the source that was measured, where git knows it
}

// file is bench/results.json: figures of one machine.
type file struct {
	Machine string   `json:"machine"`
	Results []result `json:"results"`
}

// report collects results in the order they were measured.
type report struct {
	part, commit string // of what is added
	results      []result
	values       map[string]float64
}

func newReport() *report { return &report{values: map[string]float64{}} }

// add records a figure. comparedWith names another figure of this run, or is "".
func (r *report) add(name string, value float64, unit, comparedWith string) {
	r.values[name] = value
	r.results = append(r.results, result{Name: name, Value: value, Unit: unit, ComparedWith: comparedWith, Part: r.part, Commit: r.commit})
}

// compare fills in the ratios, when every figure is there.
func (r *report) compare() {
	for i := range r.results {
		x := &r.results[i]
		if base := r.values[x.ComparedWith]; x.ComparedWith != "" && base != 0 {
			x.Ratio = x.Value / base
		}
	}
}

// print writes the table that people read.
func (r *report) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tVALUE\tUNIT\tRATIO\tCOMPARED WITH")
	for _, x := range r.results {
		ratio := ""
		if x.Ratio != 0 {
			ratio = fmt.Sprintf("%.3f", x.Ratio)
		}
		fmt.Fprintf(t, "%s\t%.4g\t%s\t%s\t%s\n", x.Name, x.Value, x.Unit, ratio, x.ComparedWith)
	}
	return t.Flush()
}

// keep puts those figures of path in front of their next ones that belong to parts that were not
// measured now. They have to be of this machine.
func (r *report) keep(path string) error {
	old, err := readFigures(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	measured := map[string]bool{}
	for _, x := range r.results {
		measured[x.Part] = true
	}
	kept := slices.DeleteFunc(old.Results, func(x result) bool { return measured[x.Part] })
	if here := machine(); len(kept) > 0 && old.Machine != here {
		return fmt.Errorf("%s has figures of another machine (%s; this is %s): measure all parts, or give another -out", path, old.Machine, here)
	}
	order := map[string]int{}
	for i, p := range parts {
		order[p.name] = i
	}
	r.results = append(kept, r.results...)
	slices.SortStableFunc(r.results, func(a, b result) int { return order[a.Part] - order[b.Part] })
	return nil
}

func readFigures(path string) (f file, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return f, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// write puts the figures into the list for machines and into the page; a path of "" is left
// out.
func (r *report) write(out, page string) error {
	if out == "" {
		return nil
	}
	if err := r.keep(out); err != nil {
		return err
	}
	if err := r.save(out); err != nil || page == "" {
		return err
	}
	return r.publish(page, machine())
}

// save writes the list for machines.
func (r *report) save(path string) error {
	b, err := json.MarshalIndent(file{machine(), r.results}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
