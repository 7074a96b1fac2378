package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTodayCommand: it says what a client needs, writes its CA, refuses other addresses, and ends with its context.
func TestTodayCommand(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	c := todayCommand{Listen: "127.0.0.1:0", HTTPListen: "127.0.0.1:0", Domain: "dev.localhost", CAOut: ca, IdleTimeout: 1 << 40}
	c.LogLevel, c.LogFormat = "error", "text"
	if err := c.Run(ctx, &out); err != nil {
		t.Fatalf("Run: got error %v, want none", err)
	}
	for _, want := range []string{"dev.localhost", "(STARTTLS)", "(uploads, WebSocket)", "ada@dev.localhost", "today-cleo", "token-prefix=today-", "Stop with Ctrl-C."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got %s, want %q in it", &out, want)
		}
	}
	if pem, err := os.ReadFile(ca); err != nil || !strings.Contains(string(pem), "BEGIN CERTIFICATE") {
		t.Errorf("got %q, error %v in the file of --ca-out, want a certificate", pem, err)
	}
	c.Listen = "0.0.0.0:0"
	if err := c.Run(ctx, &out); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("Run at all addresses: got error %v, want one about loopback", err)
	}
}

func TestDemoSetting(t *testing.T) {
	for _, name := range []string{"messenger", "today", "both", "off"} {
		if o, err := parse(t, "--demo="+name); err != nil || o.Demo != name {
			t.Errorf("--demo=%s: got %q, error %v, want it", name, o.Demo, err)
		}
	}
	if o, err := parse(t); err != nil || o.Demo != "both" {
		t.Errorf("without --demo: got %q, error %v, want both", o.Demo, err)
	}
}
