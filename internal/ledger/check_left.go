package ledger

// unprovedIn are the logs that ended because a node could not prove their end: the epochs that
// a session had before a node said so.
func unprovedIn(entries []Entry) map[string]bool {
	ended := map[string]int{} // the last such fence, by session
	for _, e := range entries {
		if e.Op == OpOwner && e.Key == unproved {
			ended[e.ID] = max(ended[e.ID], e.N)
		}
	}
	epochs := map[string]bool{}
	for _, e := range entries {
		if e.Op == OpOwner && e.N < ended[e.ID] {
			epochs[e.Text] = true
		}
	}
	return epochs
}

// leftOver is how much more than at its start a node may have when no account is signed in any
// more: connections that Redis clients keep, and what the question itself needs.
var leftOver = map[string]int{"goroutines": 12, "descriptors": 48}

// checkLeft: when all accounts have signed out, a node has what it had at its start.
func checkLeft(r *Report, entries []Entry) {
	type thing struct{ node, name string }
	base := map[thing]int{}
	for _, e := range entries {
		t := thing{e.Who, e.Text}
		switch {
		case e.Op != OpLeft:
		case e.Phase == Invoke:
			base[t] = e.N
		case e.N > base[t]+leftOver[e.Text]:
			r.broken("%s has %d %s with no session signed in, and had %d at its start", e.Who, e.N, e.Text, base[t])
		}
	}
}
