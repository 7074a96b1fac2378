package ledger

// checkRosters: after every kind of fault, and in the end, an account has the buddies that it
// had before the first one.
func checkRosters(r *Report, entries []Entry) {
	had := map[string]int{}
	for _, e := range entries {
		switch {
		case e.Op != OpRoster:
		case e.Phase == Invoke:
			had[e.Account] = e.N
		case e.N != had[e.Account] && e.Text != "":
			r.broken("%s has %d buddies after %s, and had %d", e.Account, e.N, e.Text, had[e.Account])
		case e.N != had[e.Account]:
			r.broken("%s has %d buddies in the end, and had %d", e.Account, e.N, had[e.Account])
		}
	}
}
