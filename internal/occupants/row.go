package occupants

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/packed"
)

// row is an occupant. Its texts are one string, see appendTexts, with the real address at the end.
type row struct {
	texts  string
	digest uint64 // of the report, see digest
	seen   uint32 // table.tick at the last report, of whatever session
	by     uint32 // the session of that report
	born   uint32 // table.births when it came
	role   uint8
	affil  uint8
	show   perch.Show
	flags  uint8
}

const (
	flagKeyed  = 1 << iota // the key of the nick is not the nick, and comes after it
	flagPublic             // the room has told a session of it whose own it is not
)

// rowCost is what a row takes beside its texts: itself, its places in the index and in the order, and
// what allocations are rounded up by.
const rowCost = 80

var (
	roles        = []perch.Role{"", perch.RoleModerator, perch.RoleParticipant, perch.RoleVisitor, perch.RoleNone}
	affiliations = []perch.Affiliation{"", perch.AffiliationOwner, perch.AffiliationAdmin, perch.AffiliationMember,
		perch.AffiliationNone, perch.AffiliationOutcast}
)

// code is the place of a word; 0 of one that is none.
func code[T comparable](words []T, word T) uint8 {
	for i, w := range words {
		if w == word {
			return uint8(i)
		}
	}
	return 0
}

// appendTexts packs what a report says in texts, but for the real address.
func appendTexts(dst []byte, o *perch.Occupant, key string) []byte {
	dst = packed.AppendText(dst, o.Nick)
	if key != o.Nick {
		dst = packed.AppendText(dst, key)
	}
	return appendHash(appendHash(packed.AppendText(dst, o.Status), o.OccupantID), o.PhotoHash)
}

// text reads what packed.AppendText wrote, of texts that we have packed.
func text(s string) (text, rest string) {
	if n := int(s[0]); n < 0x80 {
		return s[1 : 1+n], s[1+n:]
	}
	r := packed.Read(s)
	text = r.Text()
	return text, r.Rest()
}

func (r *row) key() string {
	key, rest := text(r.texts)
	if r.flags&flagKeyed != 0 {
		key, _ = text(rest)
	}
	return key
}

// cut splits the texts into the nick and what comes after its key.
func (r *row) cut() (nick, rest string) {
	nick, rest = text(r.texts)
	if r.flags&flagKeyed != 0 {
		_, rest = text(rest)
	}
	return nick, rest
}

// address is the part of the texts that has the real address.
func (r *row) address() string {
	_, rest := r.cut()
	_, rest = text(rest)
	return skipHash(skipHash(rest))
}

// occupant unpacks a row, with the real address.
func (r *row) occupant() perch.Occupant {
	nick, rest := r.cut()
	o := perch.Occupant{Nick: nick, Role: roles[r.role], Affiliation: affiliations[r.affil], Show: r.show}
	o.Status, rest = text(rest)
	o.OccupantID, rest = hash(rest)
	o.PhotoHash, rest = hash(rest)
	o.JID = perch.JID(rest)
	return o
}

func (r *row) public() bool { return r.flags&flagPublic != 0 }

func (r *row) cost() int64 { return int64(rowCost + len(r.texts)) }

// digest stands for the texts of a report, but for the real address. It is keyed: nobody can make two
// that have the same.
func digest(o *perch.Occupant) uint64 {
	const odd = 0x9e3779b97f4a7c15
	d := maphash.String(seed, o.Nick)
	for _, s := range [...]string{o.OccupantID, o.PhotoHash, o.Status} {
		d = (d^d>>29)*odd + maphash.String(seed, s)
	}
	return d
}

// says reports whether the row says all that a report does. One without a real address says nothing
// about it: most sessions are not told of them.
func (r *row) says(o *perch.Occupant, digest uint64) bool {
	return r.digest == digest && affiliations[r.affil] == o.Affiliation && roles[r.role] == o.Role && r.show == o.Show &&
		(o.JID == "" || r.address() == string(o.JID))
}

// reported notes who has reported the row, and during which list. It is called under a read lock, too.
func (r *row) reported(tick, by uint32) {
	if atomic.LoadUint32(&r.seen) != tick {
		atomic.StoreUint32(&r.seen, tick)
	}
	if atomic.LoadUint32(&r.by) != by {
		atomic.StoreUint32(&r.by, by)
	}
}

// set has a row say what a report does; address is the real one that is known.
func (r *row) set(o *perch.Occupant, key string, digest uint64, address string) {
	var buf [320]byte
	r.texts = string(append(appendTexts(buf[:0], o, key), address...))
	r.digest = digest
	if r.flags &^= flagKeyed; key != o.Nick {
		r.flags |= flagKeyed
	}
	r.role, r.affil, r.show = code(roles, o.Role), code(affiliations, o.Affiliation), o.Show
}
