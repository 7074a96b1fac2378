package main

import (
	"strings"
	"testing"

	"github.com/perch-im/perch/messenger"
)

// TestTraffic: what a line asks for is done, or it is said why not.
func TestTraffic(t *testing.T) {
	s, err := messenger.New(messenger.Load(3, 2))
	if err != nil {
		t.Fatalf("messenger.New: got error %v, want none", err)
	}
	a := audience{s, 3, 2}
	for line, want := range map[string]string{
		"presence 2 lunch": "", "message 1 hello there": "", "messages 6 2 1": "", "messages 0 1 0": "", "drop 3 0": "", "drop 1 2": "",
		"presence 3 lunch": "there are 2 buddies", "presence x lunch": "invalid syntax",
		"message 3 hello": "load-3", "messages 2 2 2": "load-3", "messages 2 0 0": "0 sessions", "messages 2 2": "EOF",
		"drop 2 2": "there are 3 sessions", "drop 1 -1": "there are 3 sessions", "drop": "EOF", "": "not known", "shout": "not known",
	} {
		if got := a.traffic(line).Error; (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("traffic %q: got error %q, want %q in it", line, got, want)
		}
	}
}
