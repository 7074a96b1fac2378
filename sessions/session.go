package sessions

import (
	"time"

	"github.com/perch-im/perch"
)

// Session is one account's XMPP session: the loop, what comes in by it, and the life cycle.
// Everything else is done by its parts. Its methods are safe for concurrent use; none of them
// waits for the upstream unless it says so.
type Session struct {
	*loop

	m  *Manager
	id ID

	opening   opening
	replacing chan struct{} // has room for one: who replaces the credential
	entry     entry         // guarded by m.mu

	// Everything below belongs to the owner goroutine.

	cred  credential
	state savedState
	log   eventLog

	report     reporter
	conn       connection
	supervisor supervisor
	login      login
	outbox     outbox
	roster     roster
	catchup    catchup
	relations  relations
	chatStates chatStates
	receipts   receipts
	subs       subscribers
	idle       idlePolicy
	partList

	waits pendingCounts // counted in m.backlog
	touch *time.Timer   // keeps a session in which nothing happens from expiring in the Store
	endState
}

// partList are the parts, in the order in which they are asked. What a room says comes to rooms before
// that; nil: the session uses none.
type partList struct {
	parts    []part
	rooms    *roomList
	blocking blocking
	stanzas  stanzaEvents
	uploads  *uploadSlots // nil: none was asked for
	readers  *readerList  // nil: there was none yet
}

// credential is what a session signs in with.
type credential struct {
	acc      perch.Account
	at       perch.Time // when it was given
	upstream *Upstream  // of all its sessions
}

// newSession makes the session of an account, whose upstream is among the settings.
func newSession(m *Manager, id ID, acc perch.Account, x *settings) *Session {
	s := &Session{
		loop: newLoop(m.ctx), m: m, id: id,
		opening: opening{over: make(chan struct{})}, replacing: make(chan struct{}, 1),
		cred: credential{acc: acc, at: timeNow(), upstream: x.upstreams[acc.Upstream]},
	}
	s.runner.work = s
	s.entry.state = perch.StateConnecting
	s.state.journal = &s.log
	s.report = reporter{log: m.log, observer: m.o.Observer, journal: &s.log, session: shortID(id), upstream: acc.Upstream}
	s.conn = connection{state: &s.state, log: &s.log, nodes: m, whyOffline: &s.supervisor, outbox: &s.outbox,
		durable: m.o.Store.Durable(), agent: id.agent(), fast: fast{state: &s.state, seals: m, id: id}, caps: s.cred.upstream.Capabilities}
	s.assemble(&services{s.loop, &s.state, &s.report, &s.conn}, x.idleOf(acc.Upstream))
	return s
}

// assemble makes the parts. The host of each is put together of what the part asks for.
func (s *Session) assemble(shared *services, idle IdlePolicy) {
	store := s.m.o.Store
	s.subs = subscribers{owner: s.loop, saved: &s.state, log: &s.log, roster: &s.roster, store: store, observer: s.m.o.Observer, id: s.id, changed: func() { s.idle.attended(); s.stanzas.attended(); s.readers.attended() }}
	s.log = eventLog{store: store, id: s.id, host: eventLogServices{shared, &s.subs, s}}
	s.supervisor = supervisor{journal: &s.log, state: status{state: perch.StateConnecting, since: s.now()}, host: supervisorServices{shared, &s.outbox, s}}
	s.outbox = outbox{journal: &s.log, store: store, id: s.id, host: outboxServices{shared, &s.catchup, &s.relations, s}}
	s.relations = relations{known: &s.catchup.known, host: relationsServices{shared, &s.log}}
	s.catchup = catchup{log: &s.log, sent: &s.outbox, relations: &s.relations, store: store, id: s.id, host: catchupServices{shared, &s.supervisor, &s.receipts}}
	s.roster = roster{journal: &s.log, cards: store, id: s.id, host: shared}
	s.chatStates = chatStates{journal: &s.log, host: shared}
	s.stanzas = stanzaEvents{host: shared, subs: &s.subs, journal: &s.log, allowed: s.m.o.RawStanzas}
	s.blocking = blocking{journal: &s.log, host: blockingServices{shared, &s.roster}}
	s.receipts = receipts{journal: &s.log, host: receiptsServices{shared, &s.roster}}
	s.idle = idlePolicy{services: shared, policy: idle, subs: &s.subs, supervisor: &s.supervisor, host: s, hasReaders: func() bool { return s.readers.enabled() }}
	s.login = login{services: shared, host: s, manager: registrar{s.m, s}, supervisor: &s.supervisor, catchup: &s.catchup, roster: &s.roster, idle: &s.idle, blocking: &s.blocking}
	s.outbox.blocked = &s.blocking
	s.parts = []part{&s.blocking, &s.outbox, &s.catchup, &s.roster, &s.chatStates, &s.stanzas}
}

// The hosts of the parts, and what they are put together of.
type (
	eventLogServices struct {
		*services
		*subscribers
		ownership
	}
	supervisorServices struct {
		*services
		quarantiner
		lifeCycle
	}
	outboxServices struct {
		*services
		sentLog
		readMarkers
		acceptance
	}
	catchupServices struct {
		*services
		stateClock
		receiptGiver
	}
	relationsServices struct {
		*services
		*eventLog
	}
	blockingServices struct {
		*services
		*roster
	}
	receiptsServices struct {
		*services
		*roster
	}
	ownership interface {
		fenced()
		recordLost()
	}
	lifeCycle interface {
		over() bool
		dialSoon()
		openingDone(err error)
		suspended(reason string)
		stateChanged()
	}
	quarantiner interface{ quarantine() bool }
	sentLog     interface{ logSent(e *outEntry) }
	readMarkers interface {
		peerRead(in *perch.ReceiptIn, sent *perch.MessageRecord) bool
	}
	acceptance   interface{ accepts() error }
	stateClock   interface{ stateSince() perch.Time }
	receiptGiver interface{ giveReceipt(to perch.JID, id string) }
)

// ID names the session in the Store.
func (s *Session) ID() ID { return s.id }
