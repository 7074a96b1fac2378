package main

import "time"

// effort is how much of everything a run has. What is measured in turns is measured so often
// that the median means something.
type effort struct {
	turns, fewTurns int

	quiet   quiet
	idle    time.Duration // that what is no gateway is left alone before it is weighed
	warm    int           // sessions that a process has when it is weighed for the first time
	memory  int           // idle sessions
	sockets int           // idle event streams of each kind
	prosody int           // sessions over the server's own WebSocket

	logins   int // in a turn
	requests int // of a kind in a turn: the kernel counts CPU in hundredths of a second

	storm       int           // sessions that lose their connections at once
	calm, rough time.Duration // before and after that
	restore     int           // sessions of a process that is killed

	flow time.Duration // of messages, whose first eighth is not counted

	load                    int // sessions
	listeners               int // of them with a socket
	messages, burst, window int // to these in a turn, at once, and under way at most

	rooms roomEffort

	webhooks webhookEffort

	scale, perProcess int           // sessions, and those of one gateway
	scaleIdle         time.Duration // over which idle CPU is counted
}

// roomEffort is that of the part about rooms.
type roomEffort struct {
	sessions          int // in one room
	crowds, occupants int // rooms that one session after the other joins, and who is in each
	real              int // occupants of a room of a real server, for which they are a lot of work
	speech            int // messages to a room in a turn
}

// webhookEffort is that of the part about webhooks.
type webhookEffort struct {
	sessions int           // with one
	receiver time.Duration // that a call takes
}

var usual = effort{
	turns: 5, fewTurns: 3,
	quiet: quiet{atLeast: 30 * time.Second, atMost: time.Minute, every: 5 * time.Second, same: 3},
	idle:  10 * time.Second, warm: 100, memory: 10_000, sockets: 1000, prosody: 1000,
	logins: 400, requests: 2000,
	storm: 5000, calm: 5 * time.Second, rough: 10 * time.Second, restore: 5000,
	flow: 2 * time.Second,
	load: 2000, listeners: 200, messages: 40_000, burst: 1000, window: 4000,
	rooms:    roomEffort{sessions: 1000, occupants: 1000, real: 300, crowds: 40, speech: 25},
	webhooks: webhookEffort{sessions: 1000, receiver: time.Second},
	scale:    100_000, perProcess: 10_000, scaleIdle: 30 * time.Second,
}

// inShort is enough to see that every part works. Its figures mean nothing.
var inShort = effort{
	turns: 1, fewTurns: 1,
	quiet: quiet{atLeast: 200 * time.Millisecond, atMost: 2 * time.Second, every: 50 * time.Millisecond, same: 2},
	idle:  200 * time.Millisecond, warm: 2, memory: 12, sockets: 4, prosody: 4,
	logins: 5, requests: 20,
	storm: 10, calm: 300 * time.Millisecond, rough: 500 * time.Millisecond, restore: 10,
	flow: 300 * time.Millisecond,
	load: 10, listeners: 5, messages: 200, burst: 50, window: 100,
	rooms:    roomEffort{sessions: 12, occupants: 8, real: 4, crowds: 3, speech: 2},
	webhooks: webhookEffort{sessions: 8, receiver: 20 * time.Millisecond},
	scale:    12, perProcess: 5, scaleIdle: 500 * time.Millisecond,
}
