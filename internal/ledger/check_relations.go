package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// about names a message that something was said of: it is one of a conversation of an account.
type about struct{ account, peer, id string }

func (t about) String() string { return fmt.Sprintf("%s, with %s: %s", t.account, t.peer, t.id) }

// given is one relation, as its sender knows it.
type given struct {
	Entry
	first, last int64 // of the requests
	taken       bool  // acknowledged, or accepted
	bounced     bool
	refused     string
	status      string
}

// relationCheck holds what clients show in the end against what was said, in the order in which the
// server has it. Only the author of a message may correct it or take it back: what is forged has no
// effect.
type relationCheck struct {
	r       *Report
	f       faults
	given   map[string]*given  // by who and number
	byID    map[string]*given  // by the id of the stanza
	copies  map[[2]string]int  // by owner of an archive and id of the stanza
	truth   map[about]*merged  // as the archives of the accounts have it
	twice   map[about]bool     // the archive has it, or something that was said of it, more than once
	exists  map[about]bool     // messages that an archive has
	clients map[string]*screen // by name
	audited map[string]bool    // archives that were read
	times   map[about]span     // when the first and the last thing was said of it
}

// note notes when something was said of a message.
func (c *relationCheck) note(t about, at int64) {
	s, ok := c.times[t]
	if !ok {
		s = span{at, at}
	}
	c.times[t] = span{min(s.from, at), max(s.to, at)}
}

// screen is what a client shows in the end.
type screen struct {
	account string
	whole   bool
	states  map[about]merged
}

// checkRelations: each correction, retraction and reaction that the server took has its effect, once,
// and every client of an account shows the same in the end, whatever cuts and resets it had.
func checkRelations(r *Report, entries []Entry, f faults) {
	c := &relationCheck{r: r, f: f, given: map[string]*given{}, byID: map[string]*given{}, copies: map[[2]string]int{}, truth: map[about]*merged{},
		twice: map[about]bool{}, exists: map[about]bool{}, clients: map[string]*screen{}, audited: map[string]bool{}, times: map[about]span{}}
	for _, e := range entries {
		switch e.Op {
		case OpRelate:
			c.give(e)
		case OpStatus:
			if g := c.byID[e.ID]; g != nil {
				g.status = e.Text
			}
		case OpStored:
			c.store(e)
		case OpAudited:
			c.audited[e.Who] = true
		case OpShown:
			c.show(e)
		}
	}
	for _, e := range entries { // when it is known who has said what
		if e.Op == OpKept {
			c.keep(e)
		}
	}
	c.checkGiven()
	c.checkShown()
}

// store takes a message of an archive. One that was sent again after Redis lost its key is there twice, and what was
// said between the two is of the first alone.
func (c *relationCheck) store(e Entry) {
	c.copies[[2]string{e.Who, e.ID}]++
	again := c.copies[[2]string{e.Who, e.ID}] > 1 && c.f.lost(e.At) > 0
	for _, t := range []about{{e.Who, e.From, e.ID}, {e.From, e.Who, e.ID}} {
		c.exists[t], c.twice[t] = true, c.twice[t] || again
	}
}

func (c *relationCheck) give(e Entry) {
	name := fmt.Sprint(e.Who, " ", e.N)
	g := c.given[name]
	if g == nil {
		g = &given{Entry: e, first: e.At}
		c.given[name] = g
	}
	g.last = e.At
	if e.ID != "" {
		g.ID, c.byID[e.ID] = e.ID, g
	}
	switch {
	case e.Phase == OK:
		g.taken = true
	case e.Phase == Fail && e.Who == e.Account:
		g.refused = e.Text
	case e.Phase == Fail:
		g.bounced = true
	}
}

// keep takes a relation of an archive. Of several copies the first counts.
func (c *relationCheck) keep(e Entry) {
	c.copies[[2]string{e.To, e.ID}]++
	t := about{e.Account, e.From, e.Key}
	g := c.byID[e.ID]
	switch {
	case c.copies[[2]string{e.To, e.ID}] > 1:
		c.twice[t] = true
	case g != nil && g.Text == forged+e.Text, e.To != e.Account:
	case g != nil && g.Text != e.Text, g == nil && e.Who != e.Account:
		c.r.broken("%s has %q of %s about %s, which was never said", e.To, e.Text, e.Who, e.Key)
	default:
		if c.truth[t] == nil {
			c.truth[t] = &merged{}
		}
		c.truth[t].apply(e.Who, e.Text)
		if g != nil {
			c.note(t, g.first)
		}
	}
}

func (c *relationCheck) show(e Entry) {
	s := c.clients[e.Who]
	if s == nil {
		s = &screen{account: e.Account, states: map[about]merged{}}
		c.clients[e.Who] = s
	}
	if e.ID == "" {
		s.whole = true
		return
	}
	s.states[about{e.Account, e.From, e.ID}] = mergedOf(e.N, e.Key, e.Text)
}

// checkGiven: what was taken is in the archives, once.
func (c *relationCheck) checkGiven() {
	for _, name := range slices.Sorted(maps.Keys(c.given)) {
		g := c.given[name]
		switch {
		case strings.HasPrefix(g.Text, forged):
			c.r.Relations.Forged++
			continue
		case g.refused != "":
			t := c.truth[about{g.Account, g.From, g.Key}]
			if !strings.Contains(g.refused, takenBack) || t == nil || !t.retracted {
				c.r.broken("%q of %s about %s was refused: %s", g.Text, g.Who, g.Key, g.refused)
			}
			continue
		case g.bounced && !c.f.during(FaultServerRestart, g.first, around, around):
			c.r.broken("%q of %s about %s came back as an error", g.Text, g.Who, g.Key)
		}
		c.checkTaken(g)
	}
}

func (c *relationCheck) checkTaken(g *given) {
	what := fmt.Sprintf("%q of %s about %s, as %s", g.Text, g.Who, g.Key, g.ID)
	byAccount := g.Who == g.Account
	owners := []string{g.Account}
	if byAccount && c.audited[g.From] {
		owners = append(owners, g.From)
	}
	switch {
	case c.copies[[2]string{g.Account, g.ID}] > 0:
		c.r.Relations.Sent++
	case g.taken && c.audited[g.Account] && (byAccount || !c.f.during(FaultServerRestart, g.first, around, around)):
		c.r.Relations.Lost = append(c.r.Relations.Lost, what+", is not in the archive of "+g.Account)
		return
	default:
		c.r.Relations.Untaken++
		return
	}
	for _, owner := range owners {
		n := c.copies[[2]string{owner, g.ID}]
		switch again := byAccount && c.f.lostBetween(g.first, g.last); {
		case n == 0:
			c.r.Relations.Lost = append(c.r.Relations.Lost, what+", is not in the archive of "+owner)
		case n > 1 && again:
			c.r.Relations.Again++
		case n > 1:
			c.r.Relations.Doubled = append(c.r.Relations.Doubled, fmt.Sprintf("%s, is %d times in the archive of %s", what, n, owner))
		}
	}
	switch {
	case !byAccount || g.status == "" && !g.taken:
	case finals[g.status]:
	case g.status == "unknown" && c.f.during(FaultServerRestart, g.first, 60_000, around):
	case g.status == "not-found" && c.f.lostBetween(g.first, 1<<62):
	default:
		c.r.broken("%s, ended as %q", what, g.status)
	}
}

// checkShown: what clients show is what was said.
func (c *relationCheck) checkShown() {
	for _, name := range slices.Sorted(maps.Keys(c.clients)) {
		s := c.clients[name]
		if !s.whole {
			continue
		}
		c.r.Relations.Clients++
		all := map[about]bool{}
		for t := range s.states {
			all[t] = true
		}
		for t := range c.truth {
			if t.account == s.account {
				all[t] = true
			}
		}
		for _, t := range slices.SortedFunc(maps.Keys(all), func(a, b about) int { return strings.Compare(a.String(), b.String()) }) {
			if c.exists[t] && !c.twice[t] {
				c.compare(name, t, s.states[t])
			}
		}
	}
}

// compare holds one message as a client shows it against the truth.
func (c *relationCheck) compare(client string, t about, got merged) {
	want := merged{}
	if c.truth[t] != nil {
		want = *c.truth[t]
	}
	if got.String() == want.String() {
		return
	}
	if s := c.times[t]; c.f.lostBetween(s.from, s.to) && got.within(&want) {
		c.r.Relations.Forgotten++
		return
	}
	text := fmt.Sprintf("%s shows of %s: %s; said was: %s", client, t, &got, &want)
	switch {
	case got.edits > want.edits && !want.retracted:
		c.r.Relations.Doubled = append(c.r.Relations.Doubled, text)
	case got.lacks(&want):
		c.r.Relations.Lost = append(c.r.Relations.Lost, text)
	default:
		c.r.Relations.Wrong = append(c.r.Relations.Wrong, text)
	}
}

// lacks reports whether something that was said is not shown.
func (m *merged) lacks(want *merged) bool {
	if want.retracted || m.retracted {
		return want.retracted
	}
	if m.edits < want.edits || m.text != want.text && want.text != "" {
		return true
	}
	for who, e := range want.reactions {
		if m.reactions[who] != e {
			return true
		}
	}
	return false
}

// within reports whether nothing but the number of corrections, and reactions, is less than it
// should be: a gateway that has lost its log begins anew with them.
func (m *merged) within(want *merged) bool {
	for who, e := range m.reactions {
		if want.reactions[who] != e {
			return false
		}
	}
	return m.retracted == want.retracted && m.text == want.text && m.edits <= want.edits
}
