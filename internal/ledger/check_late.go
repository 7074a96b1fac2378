package ledger

import (
	"fmt"
	"slices"
)

// checkLate: while nothing is broken, each message that the server had is with a client of its account
// promptly. One that comes too late is not lost, but something slept that should have been woken.
func checkLate(r *Report, entries []Entry) {
	begun, over := int64(0), int64(-1)
	for _, e := range entries {
		switch {
		case e.Op == OpQuiet && e.Phase == Invoke:
			begun = e.At
		case e.Op == OpQuiet:
			over = e.At
		}
	}
	sentAt, acked := map[message]int64{}, map[message]bool{}
	for _, e := range entries {
		m := message{e.Who, e.Account, e.N}
		switch {
		case e.Op == OpSend && e.Phase == Invoke && e.At >= begun && e.At+promptly.Milliseconds() <= over:
			sentAt[m] = e.At
		case e.Op == OpSend && e.Phase == OK:
			acked[m] = true
		case e.Op == OpRecv:
			m = message{e.From, e.Account, e.N}
			if at, ok := sentAt[m]; ok && e.At <= at+promptly.Milliseconds() {
				delete(sentAt, m)
			}
		}
	}
	for m, at := range sentAt {
		if acked[m] {
			r.Late = append(r.Late, fmt.Sprintf("%s, sent at %d ms while nothing was broken, was with no client %d ms later", m, at, promptly.Milliseconds()))
		}
	}
	slices.Sort(r.Late)
}
