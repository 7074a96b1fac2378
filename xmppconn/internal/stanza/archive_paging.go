package stanza

import (
	"strconv"
	"strings"

	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// rsm writes the part of a query that asks for a page (XEP-0059). BeforeAny asks for the
// last page (an empty before).
func (w *writer) rsm(limit int, before string, beforeAny bool, after string) {
	w.Raw("<set xmlns='" + nsRSM + "'>")
	if limit > 0 {
		w.Raw("<max>")
		w.Int(int64(limit))
		w.Raw("</max>")
	}
	switch {
	case before != "":
		w.Element("?before", "before", before)
	case after != "":
		w.Element("?after", "after", after)
	case beforeAny:
		w.Raw("<before/>")
	}
	w.Raw("</set>")
}

// rsmPage is what an answer says about the page. Count is -1 when it is not said.
type rsmPage struct {
	first, last string
	count       int
}

func parseRSM(parent *xmlstream.Element) rsmPage {
	set := parent.Child(nsRSM, "set")
	p := rsmPage{
		first: strings.Clone(set.Child(nsRSM, "first").InnerText()),
		last:  strings.Clone(set.Child(nsRSM, "last").InnerText()), count: -1,
	}
	if n, err := strconv.ParseUint(set.Child(nsRSM, "count").InnerText(), 10, 31); err == nil {
		p.count = int(n)
	}
	return p
}
