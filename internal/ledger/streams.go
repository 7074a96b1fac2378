package ledger

import (
	"fmt"
	"strings"
)

// streams has which messages came on one stream of the XMPP server, in its order.
//
// ejabberd 23.01 does not keep the order of a sender when it resumes a stream: what is on its
// way to the process of the old connection is sent on to that of the new one, after what came
// there directly. On a busy machine that is some messages, and any client sees it
// (@xmpp/client does); in its archive they are in order. A client of the server cannot tell,
// so it is counted by itself, but only where nothing else can have done it: both messages came
// live or by the resumption, and no stream began or ended between them in the log.
//
// And what it had in hand when a stream was lost, ejabberd may keep for later without putting
// it into the archive. It comes at the end of the next login then, after the archive, which
// has what was sent after it.
type streams struct {
	server   string
	changes  map[string]map[int]bool // by epoch: offsets of the events that a stream began or ended
	stored   map[message]bool        // in the server's archive
	audited  map[string]bool         // accounts whose archive was read
	shuffled map[message]bool
}

func streamsIn(entries []Entry) *streams {
	s := &streams{changes: map[string]map[int]bool{}, stored: map[message]bool{}, audited: map[string]bool{}, shuffled: map[message]bool{}}
	for _, e := range entries {
		switch e.Op {
		case OpWorld:
			s.server = e.Text
		case OpStored:
			s.stored[message{e.From, e.Who, e.N}] = true
		case OpAudited:
			s.audited[e.Who] = e.Text != auditedRelations
		case OpState:
			epoch, offset := position(e.ID)
			if s.changes[epoch] == nil {
				s.changes[epoch] = map[int]bool{}
			}
			s.changes[epoch][offset] = true
		}
	}
	return s
}

// shuffles reports whether it was the server that gave a message after a later one, and counts it.
func (s *streams) shuffles(later, e Entry) bool {
	if s.server != "ejabberd" || e.Text == "archive" {
		return false
	}
	m := message{e.From, e.Account, e.N}
	if s.audited[e.Account] && !s.stored[m] {
		s.shuffled[m] = true
		return true
	}
	if !s.oneStream(later, e) {
		return false
	}
	s.shuffled[m] = true
	return true
}

// oneStream reports whether both messages came on one stream of a server that does not keep the order.
func (s *streams) oneStream(later, e Entry) bool {
	if s.server != "ejabberd" || strings.HasSuffix(later.Text, "archive") || strings.HasSuffix(e.Text, "archive") {
		return false
	}
	epoch, to := position(e.ID)
	_, from := position(later.ID)
	for offset := from + 1; offset < to; offset++ {
		if s.changes[epoch][offset] {
			return false
		}
	}
	return true
}

// position reads an event id.
func position(id string) (epoch string, offset int) {
	epoch, text, _ := strings.Cut(id, "-")
	_, _ = fmt.Sscan(text, &offset)
	return epoch, offset
}
