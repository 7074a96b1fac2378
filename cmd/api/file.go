package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"github.com/perch-im/perch/app"
)

// configFile is the value of --config. Its settings fill flags that were given neither
// on the command line nor in the environment.
type configFile string

// fileUpstreams is what BeforeResolve found under "upstreams", for serve.
type fileUpstreams []app.Upstream

// BeforeResolve reads the file once its name is known, before flags get their defaults.
func (c configFile) BeforeResolve(k *kong.Kong, ctx *kong.Context, trace *kong.Path, file *fileUpstreams) error {
	path := string(ctx.FlagValue(trace.Flag).(configFile)) //nolint:forcetypeassert // kong calls the hook of this very flag
	values, upstreams, err := readConfig(path, k.Model)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	*file = upstreams
	ctx.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			if _, set := os.LookupEnv(name); set {
				return nil, nil // the environment goes before the file
			}
		}
		v, ok := values[flag.Name]
		if !ok {
			return nil, nil
		}
		return v, nil
	}))
	return nil
}

// readConfig reads the file strictly: a key that is no flag, or no field of an upstream,
// is refused by name, so that a misspelt setting is never silently without effect.
func readConfig(path string, model *kong.Application) (map[string]any, []app.Upstream, error) {
	raw, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, nil, err
	}
	var rest struct {
		Upstreams []app.Upstream `yaml:"upstreams"`
		Settings  map[string]any `yaml:",inline"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&rest); err != nil && len(bytes.TrimSpace(raw)) > 0 {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	names := flagNames(model)
	values := map[string]any{}
	for key, v := range rest.Settings {
		if !slices.Contains(names, key) || key == "config" || key == "help" {
			return nil, nil, fmt.Errorf("%s: unknown setting %q; there are: upstreams, %s", path, key, strings.Join(names, ", "))
		}
		values[key] = flatten(v)
	}
	return values, rest.Upstreams, nil
}

// flatten turns a YAML list into the form that kong splits again.
func flatten(v any) any {
	list, ok := v.([]any)
	if !ok {
		return fmt.Sprint(v)
	}
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = fmt.Sprint(x)
	}
	return strings.Join(out, ",")
}

func flagNames(model *kong.Application) []string {
	var names []string
	_ = kong.Visit(model, func(n kong.Visitable, next kong.Next) error {
		if f, ok := n.(*kong.Flag); ok {
			names = append(names, f.Name)
		}
		return next(nil)
	})
	slices.Sort(names)
	return slices.Compact(names)
}

// refuseUnknownEnvironment names a PERCH_ variable that is no setting.
func refuseUnknownEnvironment(model *kong.Application, environ []string) error {
	known := map[string]bool{}
	_ = kong.Visit(model, func(n kong.Visitable, next kong.Next) error {
		if f, ok := n.(*kong.Flag); ok {
			for _, e := range f.Envs {
				known[e] = true
			}
		}
		return next(nil)
	})
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "PERCH_") && !known[name] {
			return fmt.Errorf("the environment variable %s is no setting of Perch; see --help for those that are", name)
		}
	}
	return nil
}
