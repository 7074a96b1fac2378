package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealth(t *testing.T) {
	status := http.StatusOK
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("asked %s, want %q", r.URL.Path, "/readyz")
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
		t.Errorf("ready: %q %v, want no error and %q in it", out, err, "x")
	}
	if _, err := ask(strings.Replace(addr, "127.0.0.1", "0.0.0.0", 1)); err != nil {
		t.Errorf("an address that means all hosts: got error %v, want none", err)
	}
	status = http.StatusServiceUnavailable
	if _, err := ask(addr); err == nil || !strings.Contains(err.Error(), "not ready") {
		t.Errorf("not ready: %v, want an error and %q in it", err, "not ready")
	}
	srv.Close()
	if _, err := ask(addr); err == nil {
		t.Error("a gateway that is not there is healthy, want an error")
	}
}
