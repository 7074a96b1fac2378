package ledger

import (
	"slices"
	"strings"
	"sync"
)

// view is what a client shows of the conversations of its account: it merges events as
// docs/events.md says, and after a reset what pages have. Client and world share it.
type view struct {
	mu     sync.Mutex
	names  map[string]string // bare JID -> short name
	list   map[viewKey]*shownMessage
	recent []viewKey        // received, newest last
	told   map[viewKey]told // by events of this log
	moved  int              // how many changes there were
}

// told is what events have told of a message: an edit, a retraction or the message itself of all that was said
// of it, reactions of nothing but reactions.
type told struct{ text, reactions bool }

// viewKey names a message: its handle is one of its conversation.
type viewKey struct{ peer, ref string }

// shownMessage is a message as a client shows it.
type shownMessage struct {
	merged
	id    string
	known bool // it came itself, or in a page
}

// recentSeen is how many received messages a person may still react to, or read.
const recentSeen = 60

func newView(names map[string]string) *view {
	return &view{names: names, list: map[viewKey]*shownMessage{}, told: map[viewKey]told{}}
}

// wireMessage is a message, as events, pages and single messages have it, with the fields that the
// ledger looks at. Pages of the archive call its id MessageID.
type wireMessage struct {
	ID        string
	MessageID string `json:"message_id"`
	Ref       string
	From, To  string
	Kind      string
	// RoomStanzaID is the id of a message in the archive of its room.
	RoomStanzaID string `json:"room_stanza_id"`
	Body         string
	Edited       *struct{ Count int }
	Retracted    *struct{ At string }
	Reactions    []wireReaction
	Relation     *wireRelation // of the relations of a page
}

type wireReaction struct {
	Emoji string
	By    []string
}

type wireRelation struct {
	Kind, Ref string
	Emojis    []string
}

// merged is what the message shows of what was said of it.
func (w *wireMessage) merged(names map[string]string) merged {
	if w.Retracted != nil {
		return merged{retracted: true}
	}
	var s merged
	if w.Edited != nil {
		s.edits, s.text = w.Edited.Count, version(w.Body)
	}
	s.reactions = reactionsOf(w.Reactions, names)
	return s
}

func reactionsOf(list []wireReaction, names map[string]string) map[string]string {
	sets := map[string][]string{}
	for _, x := range list {
		for _, by := range x.By {
			name := nameOf(names, by)
			sets[name] = append(sets[name], x.Emoji)
		}
	}
	var s merged
	for name, set := range sets {
		s.react(name, strings.Join(slices.Sorted(slices.Values(set)), " "))
	}
	return s.reactions
}

// nameOf is the short name of a JID, or the JID.
func nameOf(names map[string]string, jid string) string {
	bare, _, _ := strings.Cut(jid, "/")
	if name, ok := names[bare]; ok {
		return name
	}
	return bare
}

// at is a message of the view, a new one if need be.
func (v *view) at(k viewKey, id string) *shownMessage {
	m := v.list[k]
	if m == nil {
		m = &shownMessage{}
		v.list[k] = m
	}
	if id != "" {
		m.id = id
	}
	v.moved++
	return m
}

// message takes one that came as an event. One that is there already keeps what was said of it,
// unless the event says more.
func (v *view) message(peer string, w *wireMessage, received bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	k := viewKey{peer, w.Ref}
	m := v.at(k, w.ID)
	if s := w.merged(v.names); !m.known && m.plain() || !s.plain() {
		m.merged = s
	}
	if !m.known && received {
		v.came(k)
	}
	m.known, v.told[k] = true, told{true, true}
}

func (v *view) came(k viewKey) {
	if v.recent = append(v.recent, k); len(v.recent) > recentSeen {
		v.recent = v.recent[1:]
	}
}

// event takes what an event says of a message: the whole of its state, or of its reactions. What was taken
// back stays so.
func (v *view) event(f *frame) {
	v.mu.Lock()
	defer v.mu.Unlock()
	d := &f.Data
	peer := bare(d.Conversation)
	if f.Type == "message.edited" {
		if peer = bare(d.From); strings.HasPrefix(nameOf(v.names, peer), "a") {
			peer = bare(d.To)
		}
	}
	k := viewKey{peer, d.Ref}
	m := v.at(k, d.ID)
	v.told[k] = told{v.told[k].text || f.Type != "message.reactions", true}
	switch {
	case m.retracted:
	case f.Type == "message.edited":
		m.merged = d.wireMessage.merged(v.names)
	case f.Type == "message.retracted":
		m.merged = merged{retracted: true}
	case f.Type == "message.reactions":
		m.reactions = reactionsOf(d.Reactions, v.names)
	}
}

func bare(jid string) string {
	jid, _, _ = strings.Cut(jid, "/")
	return jid
}

// reset says that the log is another one: what an event of it says is newer than what pages have.
func (v *view) reset() {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.told)
}

// picked is a message that the account may react to, or read.
type picked struct{ peer, ref, id string }

// pick chooses one of the received messages that the client has, of one sender or of all; one that was
// taken back is none.
func (v *view) pick(random func(int) int, peer string) (picked, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var list []viewKey
	for _, k := range v.recent {
		if (peer == "" || k.peer == peer) && !v.list[k].retracted {
			list = append(list, k)
		}
	}
	if len(list) == 0 {
		return picked{}, false
	}
	k := list[random(len(list))]
	return picked{k.peer, k.ref, v.list[k].id}, true
}

// shown adds the whole of what the client shows to the history, but what nothing was said of.
func (v *view) shown(h *history, client, account string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n, known := 0, map[[2]string]bool{}
	for k, m := range v.list {
		known[[2]string{k.peer, m.id}] = known[[2]string{k.peer, m.id}] || m.known
	}
	for k, m := range v.list {
		if !m.known && known[[2]string{k.peer, m.id}] {
			continue // forged, under the id of a message of the other side: it has another handle
		}
		if n++; !m.plain() {
			h.add(Entry{Op: OpShown, Who: client, Account: account, From: nameOf(v.names, k.peer), ID: m.id, N: m.edits, Key: m.text, Text: m.words()})
		}
	}
	h.add(Entry{Op: OpShown, Who: client, Account: account, N: n})
}
