package ledger

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/perch-im/perch/internal/testkit"
	"github.com/redis/go-redis/v9"
)

// world is everything that runs: the servers, the gateways behind their proxies, and the
// accounts that talk through them.
type world struct {
	t       testkit.TB
	o       Options
	ctx     context.Context
	history *history
	tally   *tally
	pacer   *pacer

	server  *testkit.Server
	redis   *testkit.RedisServer
	keys    redis.UniversalClient // a look into it from outside, past the proxies
	secrets secrets
	nodes   []*node
	front   *testkit.Proxy // from the clients to the balancer

	accounts  []*account
	senders   []*sender
	receivers []person
	python    *foreign
	js        *foreign
	load      *load
	posters   []*poster
	names     map[string]string // bare JID -> short name

	online  sync.Map // of the foreign people, by name
	audited chan foreignLine
	listed  map[string]bool // kinds of faults after which the roster was listed
	calm    atomic.Bool     // no client's network goes away any more
	broken  atomic.Bool     // a fault is there
}

// secrets are the settings that all gateways share.
type secrets struct {
	secret, key string // PERCH_SECRET, PERCH_SECRET_KEY
}

// account is one that lives in the gateways.
type account struct {
	person
	base    string // of the gateway, through the balancer
	token   string
	access  atomic.Pointer[string] // the token of the XMPP server
	http    *http.Client
	peers   []string  // bare JIDs of those who send to it, and then of those that it sends to
	seen    *view     // of its first client
	clients []*client // that show what they have: those with a stream
	inRooms bool
	stored  int // how many more its roster had from the beginning
}

// sender is a foreign account that writes to the accounts of the gateways.
type sender struct {
	person
	program *foreign
}

// build starts the servers, the proxies and the nodes.
func (w *world) build(program string) {
	t := w.t
	t.Helper()
	if w.o.Server == "ejabberd" {
		w.server = testkit.EjabberdWith(t, testkit.EjabberdOptions{SQLArchive: true, SQLRoster: true})
	} else {
		w.server = testkit.Prosody(t, testkit.ProsodyOptions{SQLArchive: true})
	}
	w.redis = testkit.Redis(t, testkit.RedisOptions{AppendOnly: true})
	w.keys = w.redis.Client(t)
	w.secrets.secret = strings.Repeat("the ledger's own ", 3)
	w.secrets.key = hex.EncodeToString([]byte(w.secrets.secret[:32]))
	for i := range w.o.Nodes {
		w.nodes = append(w.nodes, w.newNode(fmt.Sprint("n", i+1), program))
	}
	for _, n := range w.nodes {
		n.start(t)
	}
	w.front = testkit.NewProxy(t, newBalancer(t, w.nodes).addr)
}

// people makes the accounts and lets the foreign ones sign in.
func (w *world) people() {
	t := w.t
	t.Helper()
	var python, js []person
	for i := range w.o.Accounts {
		w.accounts = append(w.accounts, &account{person: w.person(fmt.Sprint("a", i+1)), base: "http://" + w.front.Addr, http: newHTTP(), inRooms: w.o.Rooms > 0})
	}
	for i := range w.o.Senders {
		python, js = append(python, w.person(fmt.Sprint("sl", i+1))), append(js, w.person(fmt.Sprint("js", i+1)))
	}
	w.largeRoster()
	w.planRooms()
	senders := [][]person{python, js}
	w.receivers = []person{w.person("slr"), w.person("jsr")}
	python[0].Witness = true
	inRooms := [][]person{{w.receivers[0]}, {w.receivers[1]}}
	for i, list := range w.roomPeople(len(w.accounts) + len(python) + len(js) + len(w.receivers)) {
		inRooms[i] = append(inRooms[i], list...)
	}
	w.python = w.slixmpp(append(python, inRooms[0]...), w.heard)
	w.js = w.xmppJS(append(js, inRooms[1]...), w.heard)
	for i, program := range []*foreign{w.python, w.js} {
		for _, p := range senders[i] {
			w.senders = append(w.senders, &sender{p, program})
		}
		for _, p := range append(senders[i], inRooms[i]...) {
			w.load.rooms.speakers = append(w.load.rooms.speakers, &sender{p, program})
		}
	}
	w.await("the foreign clients to sign in", func() error {
		if !w.allOnline() {
			return fmt.Errorf("slixmpp: %s; @xmpp/client: %s", w.python.stderr.String(), w.js.stderr.String())
		}
		return nil
	})
}

// allOnline reports whether every foreign client is signed in.
func (w *world) allOnline() bool {
	for _, s := range w.load.rooms.speakers {
		if _, ok := w.online.Load(s.Name); !ok {
			return false
		}
	}
	return true
}

func (w *world) person(name string) person {
	w.t.Helper()
	u := w.server.NewUser(w.t, name+"-")
	w.names[u.JID] = name
	return person{Name: name, JID: u.JID, Password: u.Password}
}

// account is the one of a name, which there is.
func (w *world) account(name string) *account {
	return w.accounts[slices.IndexFunc(w.accounts, func(a *account) bool { return a.Name == name })]
}

// foreigners are all foreign people, by name.
func (w *world) foreigners() map[string]person {
	all := map[string]person{}
	for _, s := range w.senders {
		all[s.Name] = s.person
	}
	for _, r := range w.receivers {
		all[r.Name] = r
	}
	return all
}

// heard writes down what a foreign client reports.
func (w *world) heard(line foreignLine) {
	switch line.Event {
	case "online", "offline", "failed":
		w.online.Delete(line.Who)
		if line.Event == "online" {
			w.online.Store(line.Who, true)
		}
		w.history.add(Entry{Op: OpNote, Phase: Info, Who: line.Who, Text: line.Event + " " + line.Reason})
	case "acked":
		w.resolve(line.ID, OK, "")
	case "unsure":
		w.resolve(line.ID, Info, "")
	case "bounce":
		w.resolve(line.ID, Fail, line.Reason)
	case "presence":
		if account, ok := w.names[line.From]; ok && strings.HasPrefix(account, "a") {
			w.history.add(Entry{Op: OpPresence, Who: line.Who, Account: account, Text: line.Reason})
		}
	case "message", "stored":
		w.arrived(line)
	case "related":
		w.kept(line)
	case "entered":
		w.load.rooms.entered.add(line.Who, line.From)
	case "left":
		w.left(line)
	case "heard", "said":
		w.heardInRoom(line)
	case "audited":
		w.audited <- line
	}
}

// resolve notes what became of what a foreign person sent.
func (w *world) resolve(id string, p Phase, text string) {
	if !w.load.rooms.resolved(id, p, text) {
		w.load.resolve(id, p, text)
	}
}

// arrived is a message at a foreign receiver, or one in an archive.
func (w *world) arrived(line foreignLine) {
	m, ok := parse(line.Body)
	switch {
	case !ok && line.Event == "message":
		w.history.add(Entry{Op: OpDamaged, Phase: Fail, Who: line.Who, ID: line.ID, Text: line.Body})
	case !ok || m.to != line.Who:
		// What an account sent is in its own archive too.
	case line.Event == "stored":
		w.history.add(Entry{Op: OpStored, Who: m.to, From: m.from, N: m.n, ID: line.ID, Key: line.Stanza})
	default:
		w.history.add(Entry{Op: OpArrive, Who: m.to, Account: m.from, N: m.n, ID: line.ID})
		w.load.came(m, line.ID)
	}
}

// kept is a relation in an archive.
func (w *world) kept(line foreignLine) {
	who, peer := nameOf(w.names, line.From), nameOf(w.names, line.To)
	account := who
	if !strings.HasPrefix(account, "a") {
		account, peer = peer, who
	}
	w.history.add(Entry{Op: OpKept, Who: who, Account: account, From: peer, To: line.Who, ID: line.ID, Key: line.Target,
		Text: effect(line.Kind, line.Body, line.Emojis)})
}
