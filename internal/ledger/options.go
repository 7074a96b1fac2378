package ledger

import (
	"cmp"
	"io"
	"time"
)

// Options of a run. The zero value of a field is its default.
type Options struct {
	Seed     uint64
	Messages int    // inbound; default 2,000
	Faults   int    // default 20
	Server   string // "prosody" (the default) or "ejabberd"
	Nodes    int    // gateways; default 3
	Accounts int    // sessions of the gateways; default 4
	Senders  int    // foreign senders of each library; default 3
	// Buddies is how many buddies the first account has besides those it talks to; default
	// 8,000, whose roster is more than 1 MiB on the wire. Negative is none.
	Buddies int
	// Rooms is how many rooms with an archive there are, beside one without; default 5. Negative is
	// no room at all.
	Rooms        int
	Occupants    int    // of each room, accounts included; default 20
	RoomMessages int    // that foreign people say in rooms; default a fifth of Messages
	Plant        string // name of a mistake of internal/mutants to build in; "" is none
	// Kinds are the faults to choose from; default all. A kind may be named more than once.
	Kinds []string
	// Script are the faults of the run, in this order; it takes the place of Faults and Kinds.
	Script []string
	// Lease of the nodes; default 5 s.
	Lease time.Duration
	// Park is how long the nodes let a connection to the XMPP server be silent before its reader is
	// parked; default 100 ms, so that readers are parked and woken all the time.
	Park time.Duration
	// Patience is how long nothing may move until the end; default 100 s, which is more than
	// a silent connection lives.
	Patience time.Duration
	// Dir keeps the history and the logs of the nodes.
	Dir string
	// Modules is where npm has installed the packages of peers/package.json; default peers.
	Modules string
	// Out gets the progress; default none.
	Out io.Writer
	// LogLevel of the nodes; default info.
	LogLevel string
}

func (o Options) withDefaults() Options {
	o.Messages = cmp.Or(o.Messages, 2000)
	o.Faults = cmp.Or(o.Faults, 20)
	o.Server = cmp.Or(o.Server, "prosody")
	o.Nodes = cmp.Or(o.Nodes, 3)
	o.Accounts = cmp.Or(o.Accounts, 4)
	o.Senders = cmp.Or(o.Senders, 3)
	o.Buddies = max(0, cmp.Or(o.Buddies, 8000))
	o.Rooms = max(0, cmp.Or(o.Rooms, 5))
	o.Occupants = cmp.Or(o.Occupants, 20)
	o.RoomMessages = cmp.Or(o.RoomMessages, o.Messages/5)
	o.Lease = cmp.Or(o.Lease, 5*time.Second)
	o.Park = cmp.Or(o.Park, 100*time.Millisecond)
	o.Patience = cmp.Or(o.Patience, 100*time.Second)
	o.LogLevel = cmp.Or(o.LogLevel, "info")
	if o.Out == nil {
		o.Out = io.Discard
	}
	if len(o.Script) > 0 {
		o.Faults = len(o.Script)
	}
	return o
}

// outbound is how many messages the gateways send for each that they receive.
const outbound = 0.25
