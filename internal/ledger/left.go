package ledger

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// leftTime is how long a node may take to let go of everything: longer than an idle
// connection of HTTP lives.
const leftTime = 150 * time.Second

// leftLine is a sample of what a program holds.
var leftLine = regexp.MustCompile(`(?m)^(go_goroutines|process_open_fds) ([0-9.e+]+)$`)

// holds is how many goroutines and descriptors a node has; nil: it does not say.
func (n *node) holds(ctx context.Context) map[string]int {
	text, err := n.ask(ctx, "/metrics")
	if err != nil {
		return nil
	}
	held := map[string]int{}
	for _, m := range leftLine.FindAllStringSubmatch(text, -1) {
		f, _ := strconv.ParseFloat(m[2], 64)
		held[map[string]string{"go_goroutines": "goroutines", "process_open_fds": "descriptors"}[m[1]]] = int(f)
	}
	return held
}

// base notes what the nodes hold before anybody has signed in.
func (w *world) base() {
	w.noteLeft(Invoke)
}

func (w *world) noteLeft(p Phase) {
	for _, n := range w.nodes {
		for name, count := range n.holds(w.ctx) {
			w.history.add(Entry{Op: OpLeft, Phase: p, Who: n.name, Text: name, N: count})
			if p == Invoke {
				n.base[name] = count
			}
		}
	}
}

// leave signs every account out and notes what the nodes hold then, as soon as it is what
// they had at their start, or when their time is over.
func (w *world) leave() {
	for _, a := range w.accounts {
		if _, err := a.call(w.ctx, http.MethodDelete, "/v1/session", "", nil); err != nil {
			w.history.add(Entry{Op: OpNote, Phase: Info, Who: a.Name, Text: "signing out: " + err.Error()})
		}
	}
	w.until(leftTime, func() bool {
		for _, n := range w.nodes {
			held := n.holds(w.ctx)
			if len(held) == 0 {
				return false
			}
			for name, count := range held {
				if count > n.base[name]+leftOver[name] {
					return false
				}
			}
		}
		return true
	})
	w.noteLeft(OK)
}
