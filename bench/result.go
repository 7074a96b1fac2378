package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

// result is one line of bench/results.json. A name never changes its meaning. Ratio is
// Value / the value of ComparedWith, measured in the same run; 0 when nothing is compared.
type result struct {
	Name         string  `json:"name"`
	Value        float64 `json:"value"`
	Unit         string  `json:"unit"`
	ComparedWith string  `json:"compared_with,omitempty"`
	Ratio        float64 `json:"ratio,omitempty"`
}

// report collects results in the order they were measured.
type report struct {
	results []result
	values  map[string]float64
}

func newReport() *report { return &report{values: map[string]float64{}} }

// add records a figure. comparedWith names another figure of this run, or is "".
func (r *report) add(name string, value float64, unit, comparedWith string) {
	r.values[name] = value
	r.results = append(r.results, result{Name: name, Value: value, Unit: unit, ComparedWith: comparedWith})
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

// keep puts the figures of path in front that this run has not measured, when only a part
// was run. Figures are only compared within one part.
func (r *report) keep(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var old []result
	if err := json.Unmarshal(b, &old); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fresh := map[string]result{}
	for _, x := range r.results {
		fresh[x.Name] = x
	}
	for i, x := range old {
		if now, ok := fresh[x.Name]; ok {
			old[i] = now
			delete(fresh, x.Name)
		}
	}
	for _, x := range r.results {
		if _, ok := fresh[x.Name]; ok {
			old = append(old, x)
		}
	}
	r.results = old
	return nil
}

// write puts the figures into the list for machines and into the page; a path of "" is left
// out. What was not measured stays, unless everything was.
func (r *report) write(out, page string, everything bool) error {
	if out == "" {
		return nil
	}
	if !everything {
		if err := r.keep(out); err != nil {
			return err
		}
	}
	if err := r.save(out); err != nil || page == "" {
		return err
	}
	return r.publish(page)
}

// save writes the list for machines.
func (r *report) save(path string) error {
	b, err := json.MarshalIndent(r.results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
