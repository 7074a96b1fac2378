package contacts

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/packed"
)

// buffers are where chunks are put together: an idle table has none.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxBuffer bounds a buffer that is used again.
const maxBuffer = 64 << 10

// withBuffer lets f write into an empty buffer; what f returns is used again.
func withBuffer(f func([]byte) []byte) {
	b := buffers.Get().(*[]byte)
	if *b = f((*b)[:0]); cap(*b) <= maxBuffer {
		buffers.Put(b)
	}
}

// splice is the chunk with one contact in place of what lies between two places in it; nil: with
// none. Gone reports that nothing is left.
func (c chunk) splice(from, to int, h *head, k *Contact) (s chunk, gone bool) {
	withBuffer(func(b []byte) []byte {
		b = append(b, c[:from]...)
		if k != nil {
			b = appendEntry(b, k, h)
		}
		if b = append(b, c[to:]...); k != nil || len(b) > len(appendHead(nil, h)) {
			s = chunk(b)
		}
		return b
	})
	return s, s == ""
}

func appendHead(dst []byte, h *head) []byte {
	return packed.AppendText(packed.AppendText(dst, h.domain), h.groups)
}

func appendEntry(dst []byte, c *Contact, h *head) []byte {
	at := len(dst)
	dst = appendBody(append(dst, 0), c, c.Key(), h)
	n := len(dst) - at - 1
	if n < 0x80 {
		dst[at] = byte(n)
		return dst
	}
	size := binary.AppendUvarint(nil, uint64(n))
	return slices.Replace(dst, at, at+1, size...)
}

// pack makes chunks of contacts that are sorted and have different keys. None of more than one
// contact is larger than limit.
func pack(list []*Contact, limit int) (chunks []chunk) {
	if len(list) == 0 {
		return nil
	}
	h := headOf(list)
	withBuffer(func(b []byte) []byte {
		b = appendHead(b, &h)
		empty := len(b)
		for _, c := range list {
			at := len(b)
			if b = appendEntry(b, c, &h); len(b) > limit && at > empty {
				chunks = append(chunks, chunk(b[:at]))
				b = append(b[:empty], b[at:]...)
			}
		}
		chunks = append(chunks, chunk(b))
		return b
	})
	return chunks
}

// split makes two chunks of one that has become too large, with the head that it has; or, when that
// is not what most of its contacts share, packs them anew. A large contact may be more than half.
func (c chunk) split() []chunk {
	h, r := c.open()
	head := len(c) - len(r.Rest())
	n, sharing, middle := 0, 0, 0
	for len(r.Rest()) > 0 {
		at := len(c) - len(r.Rest())
		if n > 0 && (middle == 0 || at <= (head+len(c))/2) {
			middle = at
		}
		if e := next(&r); e.first&sharedDomain != 0 {
			sharing++
		}
		n++
	}
	switch {
	case n == 1:
		return []chunk{c}
	case 2*sharing < n:
		return pack(c.contacts(), maxChunk*5/8)
	}
	first, _ := c.splice(middle, len(c), &h, nil)
	second, _ := c.splice(head, middle, &h, nil)
	return []chunk{first, second}
}

// headOf is what most of these contacts have.
func headOf(list []*Contact) head {
	domains, groups := map[string]*int{}, map[string]*int{}
	var blob []byte
	for _, c := range list {
		if _, domain, ok := strings.Cut(string(c.Key()), "@"); ok {
			count(domains, []byte(domain))
		}
		blob = appendGroups(blob[:0], c.Buddy.Groups)
		count(groups, blob)
	}
	h := head{groups: most(groups)}
	if domain := most(domains); domain != "" {
		h.domain = "@" + domain
	}
	return h
}

func count(counts map[string]*int, b []byte) {
	if n := counts[string(b)]; n != nil {
		*n++
		return
	}
	counts[string(b)] = new(1)
}

// most is the text that was counted most often, of several the first one in order.
func most(counts map[string]*int) (best string) {
	n := 0
	for s, m := range counts {
		if *m > n || *m == n && s < best {
			best, n = s, *m
		}
	}
	return best
}

// roomy is the size from which on a table is made without room in its chunks. A smaller one without
// any presence is a roster that was fetched a moment ago: the presences come next, and each would
// have a chunk to be split.
const roomy = 1000

// Of makes a table of contacts in any order. Of several with one key the last one counts.
func Of(list []*Contact) Table {
	type keyed struct {
		key perch.JID
		*Contact
	}
	all := make([]keyed, len(list))
	for i, c := range list {
		all[i] = keyed{c.Key(), c}
	}
	byKey := func(a, b keyed) int { return strings.Compare(string(a.key), string(b.key)) }
	if !slices.IsSortedFunc(all, byKey) {
		slices.SortStableFunc(all, byKey)
	}
	different := make([]*Contact, 0, len(all))
	for i, c := range all {
		if i+1 == len(all) || all[i+1].key != c.key {
			different = append(different, c.Contact)
		}
	}
	limit := maxChunk
	if len(different) < roomy && !slices.ContainsFunc(different, func(c *Contact) bool { return c.Presence != nil }) {
		limit = maxChunk * 3 / 8
	}
	t := Table{n: len(different)}
	for some := range slices.Chunk(pack(different, limit), maxGroup*3/4) {
		t.groups = append(t.groups, exact(some))
	}
	t.groups = exact(t.groups)
	return t
}

// exact is a copy without room for more.
func exact[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	to := make([]T, len(list))
	copy(to, list)
	return to
}
