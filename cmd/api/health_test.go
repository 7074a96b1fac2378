package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestHealth(t *testing.T) {
	status := http.StatusOK
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("asked %s", r.URL.Path)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"status":"x"}`))
	}))
	defer srv.Close()
	ask := func(addr string) (string, error) {
		var out bytes.Buffer
		err := run(context.Background(), []string{"health", "--admin-listen", addr}, &out, &out)
		return out.String(), err
	}
	addr := strings.TrimPrefix(srv.URL, "http://")
	if out, err := ask(addr); err != nil || !strings.Contains(out, "x") {
		t.Errorf("ready: %q %v", out, err)
	}
	if _, err := ask(strings.Replace(addr, "127.0.0.1", "0.0.0.0", 1)); err != nil {
		t.Errorf("an address that means all hosts: %v", err)
	}
	status = http.StatusServiceUnavailable
	if _, err := ask(addr); err == nil || !strings.Contains(err.Error(), "not ready") {
		t.Errorf("not ready: %v", err)
	}
	srv.Close()
	if _, err := ask(addr); err == nil {
		t.Error("a gateway that is not there is healthy")
	}
}

// TestComposeSettings holds docker-compose.yml against the settings: what it sets exists.
func TestComposeSettings(t *testing.T) {
	raw, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct {
			Environment map[string]string
			Command     []string
		}
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	env := file.Services["perch"].Environment
	var environ []string
	for k, v := range env {
		environ = append(environ, k+"="+v)
	}
	var c commandLine
	parser, err := newParser(&c, &bytes.Buffer{}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	if err := refuseUnknownEnvironment(parser.Model, environ); err != nil {
		t.Error(err)
	}
	if u, err := parseUpstream(env["PERCH_UPSTREAM"]); err != nil || u.Profile != "messenger" || u.CAFile == "" {
		t.Errorf("PERCH_UPSTREAM: %+v %v", u, err)
	}
	if _, err := parser.Parse(file.Services["messenger"].Command); err != nil {
		t.Errorf("command of messenger: %v", err)
	}
}
