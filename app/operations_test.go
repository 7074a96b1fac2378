package app_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// rule is an alert as Prometheus reads it.
type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// alerts reads docs/grafana/alerts.yaml, which may have nothing but what Prometheus knows.
func alerts(t *testing.T) []rule {
	t.Helper()
	f, err := os.Open("../docs/grafana/alerts.yaml")
	if err != nil {
		t.Fatalf("os.Open: got error %v, want none", err)
	}
	defer f.Close()
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		t.Fatalf("d.Decode: got error %v, want none", err)
	}
	var all []rule
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// questions are the expressions of the dashboard, by the title of their panel.
func questions(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../docs/grafana/dashboard.json")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	var dashboard struct {
		UID    string
		Panels []struct {
			ID      int
			Type    string
			Title   string
			Targets []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatalf("json.Unmarshal: got error %v, want none", err)
	}
	all, ids := map[string][]string{}, map[int]bool{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("panel %q has the id %d of another, want one of its own above 0", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q asks for nothing, want targets", p.Title)
		}
		for _, target := range p.Targets {
			all[p.Title] = append(all[p.Title], target.Expr)
		}
	}
	if dashboard.UID == "" || len(all) < 10 {
		t.Errorf("uid %q, %d panels: this test looks in the wrong place, want some text and at least 10", dashboard.UID, len(all))
	}
	return all
}

var (
	selector = regexp.MustCompile(`\b((?:perch|go|process)_\w+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)`)
	grouping = regexp.MustCompile(`by \(([^)]*)\)`)
)

// checkExpr looks whether every metric and every label of an expression exists.
func checkExpr(t *testing.T, where, expr, text string) {
	t.Helper()
	known := labels(t, text)
	allowed := []string{"job", "instance", "le"} // Prometheus' own
	found := selector.FindAllStringSubmatch(expr, -1)
	for _, m := range found {
		if !strings.Contains(text, "\n"+m[1]+"{") && !strings.Contains(text, "\n"+m[1]+" ") {
			t.Errorf("%s: there is no metric %s, want %q in it", where, m[1], "\n"+m[1]+" ")
			continue
		}
		base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(m[1], "")
		own := append(strings.Fields(known[base]), strings.Fields(known[m[1]])...)
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			if !slices.Contains(own, l[1]) && l[1] != "job" && l[1] != "instance" {
				t.Errorf("%s: %s has no label %s, want %q", where, m[1], l[1], "instance")
			}
		}
		allowed = append(allowed, own...)
	}
	for _, m := range grouping.FindAllStringSubmatch(expr, -1) {
		for l := range strings.SplitSeq(m[1], ",") {
			if !slices.Contains(allowed, strings.TrimSpace(l)) {
				t.Errorf("%s: grouped by %s, which none of its metrics has, want %v in it", where, l, strings.TrimSpace(l))
			}
		}
	}
	if len(found) == 0 && !strings.HasPrefix(expr, "up{") {
		t.Errorf("%s asks for no metric: %s, want %q at its beginning", where, expr, "up{")
	}
	for _, pair := range []string{"()", "{}", "[]"} {
		if strings.Count(expr, pair[:1]) != strings.Count(expr, pair[1:]) {
			t.Errorf("%s: a %s is open in %s, want %v", where, pair, expr, strings.Count(expr, pair[1:]))
		}
	}
}

func TestDashboardAndAlertsFitTheMetrics(t *testing.T) {
	a := observed(t)
	use(t, a)
	text := scrape(t, a)
	for title, exprs := range questions(t) {
		for _, expr := range exprs {
			checkExpr(t, title, expr, text)
		}
	}
	seen := map[string]bool{}
	for _, r := range alerts(t) {
		if seen[r.Alert] || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("the rule %q is there twice, or not whole, want it once, with severity, summary and description", r.Alert)
		}
		seen[r.Alert] = true
		checkExpr(t, r.Alert, r.Expr, text)
	}
	if len(seen) < 10 {
		t.Errorf("only %d rules: this test looks in the wrong place, want at least 10", len(seen))
	}
}

// TestOperationsNameEveryMetric: and no other.
func TestOperationsNameEveryMetric(t *testing.T) {
	guide, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	a := observed(t)
	use(t, a)
	known := labels(t, scrape(t, a))
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`(perch_\\w+)(?:\\{([\\w,]*)\\})?`").FindAllStringSubmatch(string(guide), -1) {
		named[m[1]] = true
		got := strings.Split(m[2], ",")
		slices.Sort(got)
		if l, ok := known[m[1]]; !ok {
			t.Errorf("there is no %s, want one", m[1])
		} else if m[2] != "" && strings.Join(got, " ") != l {
			t.Errorf("%s has the labels %q, not %q, want %q", m[1], l, m[2], l)
		}
	}
	for name := range known {
		if !named[name] {
			t.Errorf("docs/operations.md does not explain %s, want a row of it", name)
		}
	}
}
