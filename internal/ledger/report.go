package ledger

import (
	"fmt"
	"slices"
	"strings"
)

// Report is what the checks have found in a history.
type Report struct {
	Messages    int // inbound, that the server had
	Untaken     int // inbound, that the server never had or lost with its own restart
	Accepted    int // outbound, answered with 202
	Resent      int // outbound, sent again with the same id after Redis had forgotten its key
	Faults      int // healed
	Kinds       int // of these, how many sorts
	Resets      int // streams that could not continue at the client's cursor
	Bounces     int // errors that were returned to a sender
	SeenOffline int // times that a buddy saw an account go while a node was drained
	Shuffled    int // inbound, that the server gave out of order when it resumed a stream

	Lost, Doubled, Disordered          []string // inbound
	Late                               []string // inbound, that slept while nothing was broken
	OutLost, OutDoubled, OutDisordered []string // outbound
	Broken                             []string // every other promise that was not kept
	Statuses                           map[string]int

	Relations RelationReport
	Reads     ReadReport
	Rooms     RoomReport
}

// RoomReport is what was found of messages in rooms.
type RoomReport struct {
	Rooms     int
	Occupants int // of each, accounts included
	Messages  int // that were said in them
	Events    int // messages in the logs of clients
	Gaps      int // that clients were told of
	Gapped    int // messages that are missing for that
	Shuffled  int // that the server gave out of order when it resumed a stream
	Forgotten int // events of messages that the server has sent and lost with its own restart
	Unheard   int // events of messages of the room without an archive, when nobody else was there

	Lost       []string
	Doubled    []string
	Disordered []string
	Wrong      []string // not said, said by somebody else, or a gap where there must be none
}

func (x *RoomReport) failed() bool {
	return len(x.Lost)+len(x.Doubled)+len(x.Disordered)+len(x.Wrong) > 0
}

// line is the verdict on rooms.
func (x *RoomReport) line() string {
	return fmt.Sprintf("rooms: %d rooms, %d occupants, %d messages, %d events, %d lost, %d doubled, %d out of order, %d wrong; "+
		"%d gaps told of with %d messages in them, %d shuffled by the server, %d that it lost with its restart, %d that nobody else heard",
		x.Rooms, x.Occupants, x.Messages, x.Events, len(x.Lost), len(x.Doubled), len(x.Disordered), len(x.Wrong), x.Gaps, x.Gapped, x.Shuffled, x.Forgotten, x.Unheard)
}

// RelationReport is what was found of corrections, retractions and reactions.
type RelationReport struct {
	Sent    int // that the server had
	Untaken int // that it never had, or lost with its own restart
	Again   int // by accounts, sent again with the same id after Redis had forgotten their keys
	Forged  int // by senders who may not say it
	Clients int // that showed what they had in the end
	// Forgotten is how many messages a client shows with less than was said of them before Redis lost
	// its data and after: the gateway has no other memory of it.
	Forgotten int

	Lost    []string // not in an archive, or not in what a client shows
	Doubled []string // twice in an archive, or in what a client shows
	Wrong   []string // shown, and never said by anybody who may
}

// ReadReport is what was found of read positions.
type ReadReport struct {
	Done          int // that were answered
	Conversations int // that were looked at in the end
	Nodes         int // that were asked for them
	Inexact       int // counts that a node calls inexact
	Forgotten     int // positions that a node cannot name, or that came moments before, since Redis lost its data; their counts are right

	Wrong []string // positions and counts that are not what they should be
}

func (r *Report) relationsFailed() bool {
	return len(r.Relations.Lost)+len(r.Relations.Doubled)+len(r.Relations.Wrong)+len(r.Reads.Wrong) > 0
}

// relationsLine is the verdict on relations and reads.
func (r *Report) relationsLine() string {
	x, reads := &r.Relations, &r.Reads
	states := fmt.Sprintf("states equal on %d clients", x.Clients)
	if r.relationsFailed() {
		states = fmt.Sprintf("states differ among %d clients", x.Clients)
	}
	return fmt.Sprintf("relations: %d sent, %d lost, %d doubled, %d wrong, %s; %d forged, %d that the server never had, %d sent again after lost data, %d forgotten with it; "+
		"reads: %d, %d conversations on %d nodes, %d wrong, %d counts inexact, %d positions without a name after lost data",
		x.Sent, len(x.Lost), len(x.Doubled), len(x.Wrong), states, x.Forged, x.Untaken, x.Again, x.Forgotten,
		reads.Done, reads.Conversations, reads.Nodes, len(reads.Wrong), reads.Inexact, reads.Forgotten)
}

// Failed reports whether any promise was broken.
func (r *Report) Failed() bool {
	return len(r.Lost)+len(r.Late)+len(r.Doubled)+len(r.Disordered)+len(r.OutLost)+len(r.OutDoubled)+len(r.OutDisordered)+len(r.Broken) > 0 || r.relationsFailed() || r.Rooms.failed()
}

// shown is how many findings of one sort are written out.
const shown = 12

// Lines is the report for people; the last line is the verdict on inbound messages.
func (r *Report) Lines(seed uint64) []string {
	var lines []string
	for _, part := range []struct {
		name string
		list []string
	}{
		{"lost", r.Lost},
		{"doubled", r.Doubled},
		{"out of order", r.Disordered},
		{"late", r.Late},
		{"outbound, lost", r.OutLost},
		{"outbound, doubled", r.OutDoubled},
		{"outbound, out of order", r.OutDisordered},
		{"relation, lost", r.Relations.Lost},
		{"relation, doubled", r.Relations.Doubled},
		{"relation, wrong", r.Relations.Wrong},
		{"read, wrong", r.Reads.Wrong},
		{"room, lost", r.Rooms.Lost},
		{"room, doubled", r.Rooms.Doubled},
		{"room, out of order", r.Rooms.Disordered},
		{"room, wrong", r.Rooms.Wrong},
		{"broken", r.Broken},
	} {
		for i, text := range part.list {
			if i == shown {
				lines = append(lines, fmt.Sprintf("%s: and %d more", part.name, len(part.list)-shown))
				break
			}
			lines = append(lines, part.name+": "+text)
		}
	}
	lines = append(lines,
		fmt.Sprintf("%d kinds of faults, %d resets, %d bounces, %d messages that the server never had, %d that it shuffled", r.Kinds, r.Resets, r.Bounces, r.Untaken, r.Shuffled),
		fmt.Sprintf("outbound: %d accepted, %d lost, %d doubled, %d out of order, %d sent again after lost data; ended as %s",
			r.Accepted, len(r.OutLost), len(r.OutDoubled), len(r.OutDisordered), r.Resent, r.endings()),
		r.relationsLine(),
		r.Rooms.line(),
		fmt.Sprintf("ledger: %d messages, %d faults, %d lost, %d doubled, %d out of order, seed %d",
			r.Messages, r.Faults, len(r.Lost), len(r.Doubled), len(r.Disordered), seed))
	return lines
}

func (r *Report) endings() string {
	var parts []string
	for status, n := range r.Statuses {
		parts = append(parts, fmt.Sprintf("%s %d", status, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func (r *Report) broken(format string, args ...any) {
	r.Broken = append(r.Broken, fmt.Sprintf(format, args...))
}
