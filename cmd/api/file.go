package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
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
	values, upstreams, err := readConfig(path, flagNames(ctx.Selected(), k.Model.Node))
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

// readConfig reads the file strictly: a key that is none of the names, or no field of an
// upstream, is refused by name, so that a setting is never silently without effect.
func readConfig(path string, names []string) (map[string]any, []app.Upstream, error) {
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
		return nil, nil, fmt.Errorf("%s: %s", path, plainYAML(err))
	}
	if err := wholeNumbers(raw); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	values := map[string]any{}
	for key, v := range rest.Settings {
		if !slices.Contains(names, key) {
			return nil, nil, fmt.Errorf("%s: unknown setting %q%s; there are: upstreams, %s", path, key, meant(key, append(names, "upstreams")), strings.Join(names, ", "))
		}
		values[key] = flatten(v)
	}
	return values, rest.Upstreams, nil
}

// wholeNumbers refuses a fraction where an upstream has a whole number, which the YAML package would cut off.
func wholeNumbers(raw []byte) error {
	var file struct {
		Upstreams []map[string]yaml.Node `yaml:"upstreams"`
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		return fmt.Errorf("%s", plainYAML(err))
	}
	whole := map[string]bool{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[app.Upstream]()) {
		whole[f.Tag.Get("yaml")] = f.Type.Kind() == reflect.Int
	}
	for _, upstream := range file.Upstreams {
		for field, v := range upstream {
			if whole[field] && v.ShortTag() == "!!float" {
				return fmt.Errorf("line %d: %s: %q is not %s", v.Line, field, v.Value, kinds["int"])
			}
		}
	}
	return nil
}

// upstreamField matches what the YAML package says of a field that an upstream does not have.
var upstreamField = regexp.MustCompile(`field (\S+) not found in type app\.Upstream`)

// wrongValue matches what it says of a value that is none of its setting, and kinds are what those must be.
var (
	wrongValue = regexp.MustCompile("cannot unmarshal !!\\w+(?: `(.*?)`)? into (int|float64|time\\.Duration|app\\.Labels)")
	kinds      = map[string]string{
		"int": "a whole number", "float64": "a number", "time.Duration": "a time such as 10m", "app.Labels": "labels such as {region: eu}",
	}
)

// wrongType matches what it says of a value that is no list, or no fields.
var wrongType = regexp.MustCompile(`cannot unmarshal !!\w+ .*into (\[\])?app\.Upstream`)

// plainYAML is an error of the YAML package in words of the file, without types of Go. The file has no
// secret values that it could quote: those are refused by name, or no YAML at all.
func plainYAML(err error) string {
	text := upstreamField.ReplaceAllStringFunc(strings.TrimPrefix(err.Error(), "yaml: "), func(found string) string {
		field := upstreamField.FindStringSubmatch(found)[1]
		return fmt.Sprintf("an upstream has no setting %q%s; there are: %s", field, meant(field, upstreamFields()), strings.Join(upstreamFields(), ", "))
	})
	text = wrongType.ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasSuffix(found, "[]app.Upstream") {
			return "upstreams must be a list, such as - {name: work, domain: example.org}"
		}
		return "each upstream must have fields, such as domain: example.org"
	})
	text = wrongValue.ReplaceAllStringFunc(text, func(found string) string {
		m := wrongValue.FindStringSubmatch(found)
		if m[1] == "" {
			return "this must be " + kinds[m[2]]
		}
		return fmt.Sprintf("%q is not %s", m[1], kinds[m[2]])
	})
	return strings.ReplaceAll(text, "unmarshal errors:\n  ", "")
}

// upstreamFields are the fields of an upstream in the file.
func upstreamFields() []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[app.Upstream]()) {
		if !f.Anonymous {
			names = append(names, f.Tag.Get("yaml"))
		}
	}
	return names
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

// flagNames are the flags of a command that may stand in a file, its own and the common
// ones; not those of other commands, which would change nothing here.
func flagNames(nodes ...*kong.Node) []string {
	var names []string
	for _, n := range nodes {
		if n == nil {
			continue
		}
		for _, f := range n.Flags {
			if f.Name != "config" && f.Name != "help" && f.Name != "json" && f.Name != "check-config" {
				names = append(names, f.Name)
			}
		}
	}
	slices.Sort(names)
	return names
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
		if strings.HasPrefix(name, "PERCH_") && !known[name] && !isServiceLink(kv) {
			return fmt.Errorf("the environment variable %s is no setting of Perch%s; see --help for those that are", name, meant(name, slices.Sorted(maps.Keys(known))))
		}
	}
	return nil
}

// serviceLink matches what Kubernetes, and Docker's links before it, put into the
// environment of every container for a Service whose name begins with "perch".
var serviceLink = regexp.MustCompile(`^PERCH(_[A-Z0-9_]+)?_(` +
	`SERVICE_HOST=.*|SERVICE_PORT(_[A-Z0-9_]+)?=[0-9]+|` +
	`PORT=[a-z]+://.*|PORT_[0-9]+_(TCP|UDP|SCTP)(=[a-z]+://.*|_(PROTO|PORT|ADDR)=.*))$`)

// serviceLinks are the names of those among the variables.
func serviceLinks(environ []string) (names []string) {
	for _, kv := range environ {
		if isServiceLink(kv) {
			name, _, _ := strings.Cut(kv, "=")
			names = append(names, name)
		}
	}
	return names
}

// isServiceLink reports whether a variable is one of those: by its whole form and, where
// there is one, that of its value, so that a misspelt setting is not taken for it.
func isServiceLink(variable string) bool { return serviceLink.MatchString(variable) }
