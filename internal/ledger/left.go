package ledger

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// leftTime is how long a node may take to release everything: longer than the timeout
// of an idle HTTP connection.
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

// base notes what the nodes hold before an account signs in.
func (w *world) base() {
	for _, n := range w.nodes {
		n.base = n.holds(w.ctx)
		w.noteLeft(Invoke, n, n.base)
	}
}

func (w *world) noteLeft(p Phase, n *node, held map[string]int) {
	for name, count := range held {
		w.history.add(Entry{Op: OpLeft, Phase: p, Who: n.name, Text: name, N: count})
	}
}

// leave signs every account out and notes the least that each node held then: a node is asked
// again and again until that is what it had at its start, or its time is over.
func (w *world) leave() {
	for _, a := range w.accounts {
		if _, err := a.call(w.ctx, http.MethodDelete, "/v1/session", "", nil); err != nil {
			w.history.add(Entry{Op: OpNote, Phase: Info, Who: a.Name, Text: "signing out: " + err.Error()})
		}
	}
	begun := time.Now()
	for _, n := range w.nodes {
		least := n.holds(w.ctx)
		w.until(leftTime-time.Since(begun), func() bool {
			for name, count := range n.holds(w.ctx) {
				if least == nil {
					least = map[string]int{}
				}
				if before, ok := least[name]; !ok || count < before {
					least[name] = count
				}
			}
			return len(least) > 0 && least["goroutines"] <= n.base["goroutines"]+leftOver["goroutines"] &&
				least["descriptors"] <= n.base["descriptors"]+leftOver["descriptors"]
		})
		w.noteLeft(OK, n, least)
	}
}
