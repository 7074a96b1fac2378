package ledger

import (
	"fmt"
	"strings"
)

const (
	related     = 4  // one of so many messages is followed by a relation of its sender
	recentMost  = 12 // messages of a pair that relations are about
	forgedOne   = 8  // one of so many relations is forged
	retractOne  = 7  // one of so many others takes its message back
	reactedMost = 64 // messages that receivers may still react to
)

// emojis are what people react with.
var emojis = []string{"👍", "❤", "🎉", "😂"}

// relationLoad is what the foreign people say of messages: the senders of their own, the receivers of
// those that came from an account. It belongs to load, under its lock.
type relationLoad struct {
	recent  map[[2]string][]message // of a sender to an account, without those that were taken back
	arrived []arrivedMessage        // at receivers, not reacted to yet
	given   map[string]Entry        // relations, by stanza id
	said    map[string]int          // how many relations of each person
}

// arrivedMessage is a message of an account at a receiver.
type arrivedMessage struct {
	message
	id string
}

func newRelationLoad() relationLoad {
	return relationLoad{recent: map[[2]string][]message{}, given: map[string]Entry{}, said: map[string]int{}}
}

// sent notes a message that a relation may be about.
func (r *relationLoad) sent(m message) {
	pair := [2]string{m.from, m.to}
	if r.recent[pair] = append(r.recent[pair], m); len(r.recent[pair]) > recentMost {
		r.recent[pair] = r.recent[pair][1:]
	}
}

// came notes a message of an account that arrived at a receiver.
func (l *load) came(m message, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.relations.arrived = append(l.relations.arrived, arrivedMessage{m, id}); len(l.relations.arrived) > reactedMost {
		l.relations.arrived = l.relations.arrived[1:]
	}
}

// relate lets a sender say something of one of its last messages to an account, now and then. The
// caller holds mu.
func (l *load) relate(from *sender, to *account) {
	pair := [2]string{from.Name, to.Name}
	list := l.relations.recent[pair]
	if l.random.IntN(related) != 0 || len(list) == 0 {
		return
	}
	i := l.random.IntN(len(list))
	m := list[i]
	if l.random.IntN(forgedOne) == 0 {
		l.forge(from, to)
		return
	}
	say := relationLine{From: from.Name, To: to.JID, Target: l.id(m), Kind: relationEdit}
	if l.random.IntN(retractOne) == 0 {
		say.Kind = relationRetract
		l.relations.recent[pair] = append(append([]message{}, list[:i]...), list[i+1:]...)
	} else {
		say.Body = compose(m, l.random)
	}
	l.say(from.program, say, to.Name, from.Name, "")
}

// forge lets a sender correct or take back a message of another one, or of the account itself.
func (l *load) forge(from *sender, to *account) {
	other := l.w.senders[l.random.IntN(len(l.w.senders))]
	list := l.relations.recent[[2]string{other.Name, to.Name}]
	if other == from || len(list) == 0 {
		return
	}
	say := relationLine{From: from.Name, To: to.JID, Target: l.id(list[len(list)-1]), Kind: relationEdit, Body: "this was never said"}
	if l.random.IntN(2) == 0 {
		say.Kind, say.Body = relationRetract, ""
	}
	l.say(from.program, say, to.Name, from.Name, forged)
}

// react lets receivers react to some of what came. The caller holds mu.
func (l *load) react() {
	list := l.relations.arrived
	l.relations.arrived = nil
	for _, a := range list {
		n := l.random.IntN(2 * related)
		if n > 2 {
			continue
		}
		to, program := l.w.account(a.from), l.w.python
		if a.to == l.w.receivers[1].Name {
			program = l.w.js
		}
		say := relationLine{From: a.to, To: to.JID, Target: a.id, Kind: relationReact, Emojis: l.some()}
		if n > 0 {
			l.say(program, say, a.from, a.to, "")
			continue
		}
		say.Kind, say.Body, say.Emojis = relationEdit, "this was never said", nil
		l.say(program, say, a.from, a.to, forged)
	}
}

// some are one or two emojis.
func (l *load) some() []string {
	i, n := l.random.IntN(len(emojis)), 1+l.random.IntN(2)
	return append(append([]string{}, emojis[i:]...), emojis[:i]...)[:n]
}

// relationLine is a command to a foreign program: one of its people says something of a message.
type relationLine struct {
	Cmd    string   `json:"cmd"`
	From   string   `json:"who"`
	To     string   `json:"to"`
	ID     string   `json:"id"`
	Target string   `json:"target"`
	Kind   string   `json:"kind"`
	Body   string   `json:"body,omitempty"`
	Emojis []string `json:"emojis,omitempty"`
}

// say gives a relation its id and its place in the history, and sends it.
func (l *load) say(program *foreign, say relationLine, account, peer, prefix string) {
	l.relations.said[say.From]++
	n := l.relations.said[say.From]
	say.Cmd, say.ID = "relate", fmt.Sprintf("%s-%s-r%d-%x", say.From, account, n, l.w.o.Seed)
	e := Entry{Op: OpRelate, Phase: Invoke, Who: say.From, Account: account, From: peer, N: n, ID: say.ID, Key: say.Target,
		Text: prefix + effect(say.Kind, say.Body, say.Emojis)}
	l.relations.given[say.ID] = e
	l.w.history.add(e)
	program.command(say)
}

// resolved notes what became of a relation; false: the id is of none.
func (l *load) resolved(id string, p Phase) bool {
	if parts := strings.Split(id, "-"); len(parts) != 4 || !strings.HasPrefix(parts[2], "r") {
		return false
	}
	l.mu.Lock()
	e, ok := l.relations.given[id]
	l.mu.Unlock()
	if e.Phase = p; ok {
		l.w.history.add(e)
	}
	return true
}
