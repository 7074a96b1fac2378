package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLogForm: people at a terminal get text, all others JSON, and each form can be asked for.
func TestLogForm(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatalf("a terminal: got error %v, want none", err)
	}
	defer terminal.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatalf("os.Create: got error %v, want none", err)
	}
	defer file.Close()
	r, pipe, err := os.Pipe()
	if err != nil {
		t.Fatalf("os.Pipe: got error %v, want none", err)
	}
	defer r.Close()
	defer pipe.Close()
	for _, tt := range []struct {
		form string
		out  *os.File
		json bool
	}{
		{"auto", terminal, false}, {"auto", file, true}, {"auto", pipe, true},
		{"text", file, false}, {"text", terminal, false}, {"json", terminal, true}, {"json", pipe, true},
	} {
		var got bytes.Buffer
		logSettings{LogLevel: "info", LogFormat: tt.form}.logger(&got, tt.out).Info("x", "took", 1500*time.Microsecond)
		if strings.HasPrefix(got.String(), "{") != tt.json {
			t.Errorf("%s to %s: got %s, want JSON %v", tt.form, tt.out.Name(), got.String(), tt.json)
		}
	}
	var c commandLine
	parser, err := newParser(&c, &bytes.Buffer{}, &bytes.Buffer{})
	if err != nil {
		t.Fatalf("newParser: got error %v, want none", err)
	}
	if _, err := parser.Parse(nil); err != nil || c.Serve.LogFormat != "auto" || c.Messenger.LogFormat != "auto" {
		t.Errorf("got %q and %q, error %v, want auto as the default", c.Serve.LogFormat, c.Messenger.LogFormat, err)
	}
}

// TestDurationsHaveOneUnit in both forms, at the top and in groups.
func TestDurationsHaveOneUnit(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.000ms", 999: "0.001ms", 1500 * time.Microsecond: "1.500ms", time.Minute: "60000.000ms", -time.Second: "-1000.000ms",
	} {
		for form, text := range map[string]string{"json": `"took":"` + want + `"`, "text": "took=" + want} {
			var got bytes.Buffer
			logSettings{LogLevel: "info", LogFormat: form}.logger(&got, nil).WithGroup("g").Info("x", "took", d)
			if !strings.Contains(got.String(), text) {
				t.Errorf("%v as %s: got %s, want %s in it", d, form, got.String(), text)
			}
		}
	}
}

// TestLogRequests is on, and is turned off by flag, environment and file.
func TestLogRequests(t *testing.T) {
	file := secretIn(t, t.TempDir(), "perch.yaml", "log-requests: false\n")
	for name, tt := range map[string]struct {
		variable string
		args     []string
		off      bool
	}{
		"default":      {"", nil, false},
		"flag":         {"", []string{"--log-requests=false"}, true},
		"environment":  {"false", nil, true},
		"file":         {"", []string{"--config", file}, true},
		"flag is last": {"false", []string{"--log-requests=true"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.variable != "" {
				t.Setenv("PERCH_LOG_REQUESTS", tt.variable)
			}
			o, err := parse(t, tt.args...)
			if err != nil || o.NoRequestLines != tt.off {
				t.Errorf("got off %v, error %v, want %v and none", o.NoRequestLines, err, tt.off)
			}
		})
	}
}

// TestLogOfTheProgram: its lines, as they are written, with and without those of requests.
func TestLogOfTheProgram(t *testing.T) {
	for name, tt := range map[string]struct {
		args  []string
		lines int
	}{"on": {nil, 3}, "off": {[]string{"--log-requests=false"}, 0}} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			p := startProcess(t, "", &log, tt.args...)
			p.ask(t, 3)
			p.stop(t)
			if got := strings.Count(log.String(), `"msg":"request"`); got != tt.lines {
				t.Errorf("got %d lines of requests, want %d:\n%s", got, tt.lines, log.String())
			}
			if got := strings.Count(log.String(), `ms","client":"127.0.0.1"`); got != tt.lines {
				t.Errorf("got %d lines with a duration and the client, want %d:\n%s", got, tt.lines, log.String())
			}
		})
	}
}
