package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestSoakFindsWhatIsLeft: sockets that are left behind in every cycle are found, in a soak of
// some seconds.
func TestSoakFindsWhatIsLeft(t *testing.T) {
	var out bytes.Buffer
	o := soakOptions{length: 7 * time.Second, cycle: 400 * time.Millisecond, sessions: 100, buddies: 3, store: "redis", leak: "sockets", left: 20}
	if err := o.check(); err != nil {
		t.Fatalf("check: got error %v, want none", err)
	}
	inLab(t, func(l *lab) error {
		err := runSoak(t.Context(), l, o, &out)
		if err == nil || !strings.Contains(err.Error(), "descriptors") || !strings.Contains(err.Error(), "GROWS") {
			t.Errorf("got error %v, want one of descriptors that grow, after:\n%s", err, out.String())
		}
		return nil
	})
	for _, want := range []string{"   0 ", "redis", "after the first 3.5s", "CPU: gateway"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got the lines:\n%s\nwant %q among them", out.String(), want)
		}
	}
}

func TestSoakOptions(t *testing.T) {
	good := soakOptions{length: 10 * time.Minute, cycle: 30 * time.Second, sessions: 1000, buddies: 50, store: "memory"}
	if err := good.check(); err != nil {
		t.Errorf("check: got error %v, want none", err)
	}
	for name, change := range map[string]func(*soakOptions){
		"store":    func(o *soakOptions) { o.store = "disk" },
		"leak":     func(o *soakOptions) { o.leak = "water" },
		"sessions": func(o *soakOptions) { o.sessions = 19 },
		"buddies":  func(o *soakOptions) { o.buddies = 0 },
		"length":   func(o *soakOptions) { o.length = 5 * time.Minute },
	} {
		o := good
		change(&o)
		if err := o.check(); err == nil || !strings.Contains(err.Error(), "-"+name) {
			t.Errorf("check with another %s: got error %v, want one that names it", name, err)
		}
	}
}
