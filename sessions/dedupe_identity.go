package sessions

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"time"

	"github.com/perch-im/perch"
)

// copyPath is a way by which a copy of a message reaches the session. One message may come
// by several of them, and by most of them once only: that tells a second copy from another
// message with the same id and text, which clients do send.
type copyPath uint8

const (
	pathStream  copyPath = 1 << iota // on a stream, as it was sent
	pathRepeat                       // on a stream, held back or sent again: offline storage, a re-route, a resumed stream
	pathArchive                      // in an answer of the archive
	pathOwn                          // written by this session

	// isRelation marks a logged control message, beside its paths: the log may not have the
	// sender's device.
	isRelation
)

// closeBy is what the clock of the server may be ahead of ours, in ms, and how far the times of
// two copies may lie apart where they tell more than the ids: another message with the same
// id and text is known as such when it comes later than that.
const closeBy = lastSlack

// identity is what a message is known by, whatever way it came: by the ids that archives gave
// it, and by sender, receiver, id and text. All are kept with each other: a copy that lacks
// one is recognised by the other, and brings what was lacking. Hashes stand for texts, so
// that a session can afford to remember many; 0 means that there is none.
type identity struct {
	text    uint64     // of sender and receiver, both bare, and of what is said
	account uint64     // the id in the archive of the account
	room    uint64     // the id in the archive of the room that it is from
	at      perch.Time // that of its delay, else when it arrived
	added   perch.Time // when it was logged
	sender  uint32     // bare: in whose name the ids are
	to      uint32     // bare
	device  uint32     // the sender's resource: an archive may lack it
	id      uint32
	origin  uint32   // XEP-0359
	private uint32   // of a private message in a room: the id of the occupant (XEP-0421)
	next    int32    // 1 + the index of the one before it with the same text, in a long table
	link    uint16   // number of the stream that brought the last copy; 0: not in this process
	paths   copyPath // that copies came by
	vague   bool     // at is no time of the message
}

// identityOf a message that arrived at a time, by one path.
func identityOf(m *perch.Message, path copyPath, arrived perch.Time) identity {
	from, to := string(m.From.Bare().Key()), string(m.To.Bare().Key())
	c := identity{
		text:   hashOf(from, to, cmp.Or(m.Body, m.Subject)),
		sender: accountHash(m.From), to: accountHash(m.To),
		device: short(m.From.Resource()), id: short(m.ID), origin: short(m.OriginID),
		added: arrived, paths: path,
	}
	if m.Room != nil && m.Kind != perch.GroupchatMessage {
		c.private = short(m.Room.OccupantID)
	}
	if m.StanzaID != "" {
		c.account = hashOf(m.StanzaID)
	}
	if m.RoomStanzaID != "" {
		c.room = hashOf(from, m.RoomStanzaID)
	}
	c.timeOf(m, arrived)
	return c
}

// timeOf sets the time of a message, as it can be read from the log again.
func (c *identity) timeOf(m *perch.Message, arrived perch.Time) {
	c.at, c.vague = arrived, m.Delay != nil && m.Delay.Stamp == 0
	if m.Delay != nil && m.Delay.Stamp != 0 {
		c.at = m.Delay.Stamp
	}
}

// overlap is what is known of the stream that a copy comes by: which messages it may be of.
type overlap struct {
	since perch.Time // what was logged before is not in the part of the archive that is read
	fresh bool       // the archive was read a moment ago: what comes live now may have been in it
}

// copyOf reports whether c, which came by its one path, is a copy of the message e.
func (c *identity) copyOf(e *identity, o overlap) bool {
	switch {
	case c.account != 0 && e.account != 0:
		return c.account == e.account && c.sender == e.sender // an id speaks for its sender only: it may be forged
	case c.room != 0 && e.room != 0:
		return c.room == e.room
	case c.text != e.text || !agree(c.device, e.device):
		return false
	}
	same, certain := c.sameID(e)
	if !same {
		return false
	}
	switch c.paths {
	case pathArchive:
		return e.paths&pathArchive == 0 && e.added >= o.since && c.inTime(e, certain)
	case pathRepeat:
		return (e.paths&pathRepeat == 0 || e.link != c.link) && c.inTime(e, certain)
	case pathStream:
		if e.paths&(pathStream|pathRepeat) != 0 {
			return false // a stream brings a message as it was sent once
		}
		if e.paths&pathOwn != 0 {
			return c.link != e.link && c.near(e) // written on a stream before, and sent on by the server only now
		}
		return o.fresh && c.near(e)
	}
	return false
}

// mayBe is a quick look: false where copyOf is false whatever else the two say.
func (c *identity) mayBe(e *identity) bool {
	return c.text == e.text || c.account != 0 && c.account == e.account || c.room != 0 && c.room == e.room
}

// chain is the key of a chain of messages with one text. Those that came by a stream have one of
// their own: nothing that a stream brings as it was sent is a copy of them, but by its ids, and so
// the same text again and again is not compared with all that went before.
func (c *identity) chain(streamed bool) uint64 {
	if streamed {
		return c.text | 1
	}
	return c.text &^ 1
}

// sameID compares the ids that the sender gave. Certain is false where there is none to
// compare. A room may give a message another id, but leaves the origin-id (XEP-0359).
func (c *identity) sameID(e *identity) (same, certain bool) {
	if c.origin != 0 && e.origin != 0 {
		return c.origin == e.origin, true
	}
	return agree(c.id, e.id), c.id != 0 && e.id != 0
}

// inTime reports whether the time of a copy allows it to be of e. A copy by the archive, or
// one that was held back, has the time at which the server got the message, which may be long
// before it got here, but not later.
func (c *identity) inTime(e *identity, certain bool) bool {
	switch {
	case c.vague || e.vague:
		return true
	case certain:
		return c.at <= e.at+closeBy
	}
	return c.near(e)
}

func (c *identity) near(e *identity) bool { return c.vague || e.vague || c.apart(e) <= closeBy }

func (c *identity) apart(e *identity) perch.Time { return max(c.at-e.at, e.at-c.at) }

// learn adds the ids that a copy brings. What the log has of the message stays: it is known
// again by that.
func (c *identity) learn(other *identity) {
	c.account, c.room = cmp.Or(c.account, other.account), cmp.Or(c.room, other.room)
	c.origin = cmp.Or(c.origin, other.origin)
	c.paths |= other.paths
	if other.paths != pathArchive {
		c.link = other.link
	}
}

// agree compares two hashes, of which each may be missing.
func agree(a, b uint32) bool { return a == b || a == 0 || b == 0 }

var identitySeed = maphash.MakeSeed()

// hashOf hashes texts so that no two lists give the same; it is never 0.
func hashOf(list ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(identitySeed)
	var n [4]byte
	for _, s := range list {
		binary.LittleEndian.PutUint32(n[:], uint32(len(s)))
		_, _ = h.Write(n[:])
		_, _ = h.WriteString(s)
	}
	return max(h.Sum64(), 1)
}

// accountHash stands for an account, by its bare JID.
func accountHash(jid perch.JID) uint32 { return uint32(hashOf(string(jid.Bare().Key()))) }

func short(text string) uint32 {
	if text == "" {
		return 0
	}
	return max(uint32(hashOf(text)), 1)
}

const (
	lastPeers = 20               // accounts whose last messages are asked for
	lastTail  = 500              // events of the log that tell who they are
	lastTime  = 10 * time.Second // for all of it
	lastSlack = 120_000          // ms that the server's clock may differ from ours
	lastBytes = 4 << 20          // of what is read
)
