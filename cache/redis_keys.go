package cache

import "github.com/perch-im/perch/sessions"

// keys names what is stored in Redis; docs/redis.md lists it. All keys of a session share
// the hash tag {id}, so that a script can use them together on a cluster.
type keys struct{ prefix string }

func (k keys) session(id sessions.ID, part string) string {
	return k.prefix + ":{" + string(id) + "}:" + part
}

// data lists the keys that live as long as the session, the state first and the log
// second. The scripts rely on this order.
func (k keys) data(id sessions.ID) []string {
	base := k.session(id, "")
	return []string{
		base + "state", base + "log", base + "roster", base + "presence",
		base + "invitations", base + "vcards", base + "outbox", base + "conversations", base + "rooms", base + "nicks",
		base + "readers",
	}
}

// timed is the index of the message and idempotency records of a session, which end by
// themselves.
func (k keys) timed(id sessions.ID) string             { return k.session(id, "kept") }
func (k keys) message(id sessions.ID, m string) string { return k.session(id, "message:"+m) }
func (k keys) once(id sessions.ID, key string) string  { return k.session(id, "once:"+key) }

// tokens is the index of the tokens that lead to a session, minted that of those that
// sign-ins were given, in the order of these; allTokens is the index of all.
func (k keys) tokens(id sessions.ID) string { return k.session(id, "tokens") }
func (k keys) uses(id sessions.ID) string   { return k.session(id, "uses") } // when they were used last
func (k keys) minted(id sessions.ID) string { return k.session(id, "minted") }
func (k keys) token(hash string) string     { return k.prefix + ":token:" + hash }
func (k keys) allTokens() string            { return k.prefix + ":tokens" }

// ticket stores what one ticket is good for.
func (k keys) ticket(hash string) string { return k.prefix + ":ticket:" + hash }

// attempts counts attempts to sign in under one name.
func (k keys) attempts(hash string) string { return k.prefix + ":attempts:" + hash }

// agreed stores what all nodes have to agree about.
func (k keys) agreed(name string) string { return k.prefix + ":agreed:" + name }

// format stores the versions of what is stored.
func (k keys) format() string { return k.prefix + ":format" }

// nodes lists the keys by which nodes know each other, for the scripts in this order: the
// beats, the names, the dead, and the released sessions. They share a hash tag;
// no session is called "nodes".
func (k keys) nodes(tag string) []string {
	base := k.session(sessions.ID(tag), "")
	return []string{base + "beats", base + "names", base + "dead", base + "released"}
}

// nodesTag is the hash tag of the keys of nodes.
const nodesTag = "nodes"

// probe is written to see whether writes are taken.
func (k keys) probe() string { return k.prefix + ":probe" }
