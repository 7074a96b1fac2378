package xmppconn

import "strconv"

// rsm writes the part of a query that asks for a page (XEP-0059). BeforeAny asks for the
// last page (an empty before).
func (w *writer) rsm(limit int, before string, beforeAny bool, after string) {
	w.raw("<set xmlns='" + nsRSM + "'>")
	if limit > 0 {
		w.raw("<max>")
		w.int(int64(limit))
		w.raw("</max>")
	}
	switch {
	case before != "":
		w.element("?before", "before", before)
	case after != "":
		w.element("?after", "after", after)
	case beforeAny:
		w.raw("<before/>")
	}
	w.raw("</set>")
}

// rsmPage is what an answer says about the page. Count is -1 when it is not said.
type rsmPage struct {
	first, last string
	count       int
}

func parseRSM(parent *element) rsmPage {
	set := parent.child(nsRSM, "set")
	p := rsmPage{
		first: keep(set.child(nsRSM, "first").innerText()),
		last:  keep(set.child(nsRSM, "last").innerText()), count: -1,
	}
	if n, err := strconv.ParseUint(set.child(nsRSM, "count").innerText(), 10, 31); err == nil {
		p.count = int(n)
	}
	return p
}
