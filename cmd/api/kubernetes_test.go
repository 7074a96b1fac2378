package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// manifest is what of a Kubernetes object concerns the program.
type manifest struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     struct {
		ServiceName string `yaml:"serviceName"`
		Template    struct {
			Spec struct {
				Links      *bool `yaml:"enableServiceLinks"`
				Grace      int   `yaml:"terminationGracePeriodSeconds"`
				Containers []struct {
					Image string
					Args  []string
					Env   []struct{ Name, Value string }
					Ports []struct {
						Name string
						Port int `yaml:"containerPort"`
					}
					Live  kubernetesProbe `yaml:"livenessProbe"`
					Ready kubernetesProbe `yaml:"readinessProbe"`
				}
			}
		}
	}
}

type kubernetesProbe struct {
	HTTP struct{ Path, Port string } `yaml:"httpGet"`
}

// manifests are the objects of deploy/kubernetes/perch.yaml, which `make deploy-check` holds against
// the chart and against the API of Kubernetes.
func manifests(t *testing.T) map[string]manifest {
	t.Helper()
	found := map[string]manifest{}
	for dec := yaml.NewDecoder(strings.NewReader(read(t, "../../deploy/kubernetes/perch.yaml"))); ; {
		var m manifest
		switch err := dec.Decode(&m); {
		case errors.Is(err, io.EOF):
			return found
		case err != nil:
			t.Fatalf("perch.yaml: got error %v, want none", err)
		}
		found[m.Kind+" "+m.Metadata.Name] = m
	}
}

// TestKubernetesSettings: what the manifests set exists, fits what they probe, and a pod is given the
// time that it takes to drain.
func TestKubernetesSettings(t *testing.T) {
	all := manifests(t)
	set := all["StatefulSet perch"].Spec
	pod := set.Template.Spec
	if len(pod.Containers) != 1 {
		t.Fatalf("got %d containers, want 1", len(pod.Containers))
	}
	c := pod.Containers[0]
	file := filepath.Join(t.TempDir(), "perch.yaml")
	if err := os.WriteFile(file, []byte(all["ConfigMap perch"].Data["perch.yaml"]), 0o600); err != nil {
		t.Fatalf("WriteFile: got error %v, want none", err)
	}
	var environ []string
	for _, e := range c.Env {
		value := e.Value
		switch e.Name {
		case "PERCH_NODE":
			value = "perch-0"
		case "PERCH_SECRET", "PERCH_SECRET_KEY", "PERCH_REDIS_URL":
			value = map[string]string{"PERCH_SECRET": composeKeys["PERCH_SECRET"], "PERCH_SECRET_KEY": composeKeys["PERCH_SECRET_KEY"], "PERCH_REDIS_URL": "redis://redis:6379/0"}[e.Name]
		}
		value = strings.ReplaceAll(value, "$(PERCH_NODE)", "perch-0")
		t.Setenv(e.Name, value)
		environ = append(environ, e.Name+"="+value)
	}
	parser, err := newParser(&commandLine{}, &bytes.Buffer{}, &bytes.Buffer{})
	if err != nil {
		t.Fatalf("newParser: got error %v, want none", err)
	}
	if err := refuseUnknownEnvironment(parser.Model, environ); err != nil {
		t.Errorf("the environment: got error %v, want none", err)
	}
	args := strings.Fields(strings.ReplaceAll(strings.Join(c.Args, " "), "/etc/perch/perch.yaml", file))
	o, err := parse(t, args...)
	if err != nil {
		t.Fatalf("got error %v, want none", err)
	}
	if o.Node != "perch-0" || o.NodeURL != "http://perch-0."+set.ServiceName+".perch.svc:8080" || len(o.SealKeys) != 1 || len(o.Secret) != 64 || o.RedisURL == "" {
		t.Errorf("got node %q at %q with %d keys, want perch-0 at its name in %s, the secret and 1 key", o.Node, o.NodeURL, len(o.SealKeys), set.ServiceName)
	}
	if _, ok := all["Service "+set.ServiceName]; !ok {
		t.Errorf("got no Service %s, want the one by which nodes find each other", set.ServiceName)
	}
	if grace := time.Duration(pod.Grace) * time.Second; grace < o.DrainTime+stopGrace {
		t.Errorf("a pod is killed after %v, want at least %v", grace, o.DrainTime+stopGrace)
	}
	ports := map[string]string{}
	for _, p := range c.Ports {
		ports[p.Name] = "0.0.0.0:" + strings.TrimSpace(string(yamlOf(t, p.Port)))
	}
	if ports["http"] != o.Listen || ports["admin"] != o.AdminListen {
		t.Errorf("got the ports %v, want %q and %q", ports, o.Listen, o.AdminListen)
	}
	if c.Live.HTTP != (struct{ Path, Port string }{"/livez", "admin"}) || c.Ready.HTTP != (struct{ Path, Port string }{"/readyz", "admin"}) {
		t.Errorf("got the probes %+v and %+v, want /livez and /readyz of admin", c.Live, c.Ready)
	}
	if pod.Links == nil || *pod.Links {
		t.Error("got the variables of Services in the environment, want none")
	}
}

func yamlOf(t *testing.T, v any) []byte {
	t.Helper()
	b, err := yaml.Marshal(v)
	if err != nil {
		t.Fatalf("yaml.Marshal: got error %v, want none", err)
	}
	return b
}

// TestImagesArePinned: what is run is named by a version of three numbers or by its digest, so that
// it is the same tomorrow; of the base of an image, that of the language as well.
func TestImagesArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`^\S+(:v?\d+\.\d+\.\d+[-.\w]*|@sha256:[0-9a-f]{64})$|^debian:12\.\d+-slim$|^scratch$`)
	found := 0
	for file, name := range map[string]*regexp.Regexp{
		"../../Dockerfile":                   regexp.MustCompile(`(?m)^FROM (?:--\S+ )?(\S+)`),
		"../../deploy/prosody/Dockerfile":    regexp.MustCompile(`(?m)^FROM (?:--\S+ )?(\S+)`),
		"../../deploy/kubernetes/perch.yaml": regexp.MustCompile(`(?m)^ +image: "?([^\s"]+)`),
		"../../deploy/kubernetes/redis.yaml": regexp.MustCompile(`(?m)^ +image: "?([^\s"]+)`),
	} {
		for _, m := range name.FindAllStringSubmatch(read(t, file), -1) {
			found++
			if !pinned.MatchString(m[1]) {
				t.Errorf("%s runs %s, want a whole version or a digest", file, m[1])
			}
		}
	}
	if m := regexp.MustCompile(`(?m)^go (\S+)`).FindStringSubmatch(read(t, "../../go.mod")); !strings.Contains(read(t, "../../Dockerfile"), " golang:"+m[1]+" ") {
		t.Errorf("the Dockerfile builds with another Go than go.mod names, want %s", m[1])
	}
	if found < 5 {
		t.Errorf("got %d images, want at least 5: this test looks in the wrong place", found)
	}
}
