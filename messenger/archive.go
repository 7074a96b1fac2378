package messenger

import (
	"slices"
	"strconv"
	"time"

	"github.com/perch-im/perch/internal/xmppserver"
)

// pair names the conversation of two accounts, whichever of them asks.
type pair struct{ a, b string }

func pairOf(a, b *account) pair { return pair{min(a.Bare, b.Bare), max(a.Bare, b.Bare)} }

// archived is one message of a conversation.
type archived struct {
	from *account
	body string
	at   time.Time
}

// keep archives a message that is being sent, if one of the two keeps history (M10).
func (s *Service) keep(from, to *account, body string) {
	if from != to && (from.history || to.history) {
		s.record(pairOf(from, to), archived{from, body, time.Now().UTC()})
	}
}

// record keeps the last Options.ArchiveMax messages, oldest first.
func (s *Service) record(p pair, m archived) {
	list := s.archives[p]
	i := len(list)
	for i > 0 && list[i-1].at.After(m.at) {
		i--
	}
	list = slices.Insert(list, i, m)
	s.archives[p] = list[max(0, len(list)-s.o.ArchiveMax):]
}

// retrieve answers with the last messages exchanged with one user (XEP-0136), at
// most Options.ArchiveMax; <max/> can ask for fewer. The resource of `with`, `start`, and
// every means of paging are ignored, and without history the answer is empty (M10).
func (s *Service) retrieve(c *client, e, p *xmppserver.Element) {
	at, ok := s.dir.Resolve(p.Get("with"))
	if !ok {
		c.fail(e, "bad-request")
		return
	}
	b := s.resultHead(c, e, 1024)
	if other := s.of(at); other != nil && (other.history || c.acct.history) {
		list := s.archives[pairOf(c.acct, other)]
		want, err := strconv.Atoi(p.Child(xmppserver.NSRSM, "set").Child(xmppserver.NSRSM, "max").Text())
		if err == nil && want > 0 && want < len(list) {
			list = list[len(list)-want:]
		}
		b = s.collection(b, c.acct, other, list)
	}
	c.send(append(b, "</iq>"...))
}

// collection writes a <chat/> as its owner sees it (XEP-0136): <to/> is what it wrote.
func (s *Service) collection(b []byte, own, other *account, list []archived) []byte {
	if len(list) == 0 {
		return b
	}
	b = xmppserver.AppendAttr(append(b, "<chat xmlns='"+nsArchive+"'"...), "with", other.Bare)
	last := list[0].at.Truncate(time.Second)
	b = append(xmppserver.AppendAttr(b, "start", last.Format("2006-01-02T15:04:05Z")), '>')
	for _, m := range list {
		tag := "from"
		if m.from == own {
			tag = "to"
		}
		b = append(append(b, '<'), tag...)
		if s.o.ArchiveUTC {
			b = xmppserver.AppendAttr(b, "utc", m.at.Format(xmppserver.StampLayout))
		} else { // seconds since the message before, or since start
			secs := m.at.Sub(last).Truncate(time.Second)
			last = last.Add(secs)
			b = xmppserver.AppendAttr(b, "secs", strconv.Itoa(int(secs/time.Second)))
		}
		b = xmppserver.AppendTag(append(b, '>'), "body", m.body)
		b = append(append(append(b, "</"...), tag...), '>')
	}
	return append(b, "</chat>"...)
}

// SetHistory switches the setting "automatically keep a history of my conversations".
func (s *Service) SetHistory(name string, on bool) error {
	a, err := s.find(name)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a.history = on
	return nil
}
