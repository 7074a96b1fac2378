package contacts

import (
	"encoding/binary"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/packed"
)

// A presence is encoded as
//
//	octet   its flags and the number of resources
//	        resources: flags unless plain, name, priority if there is one, status, time
//	        show, priority and status of the contact, unless they follow from the resources; of one
//	        without a resource the status in any case
//	varint  when it was said, unless that is when the latest resource said something
const (
	available = 0x01
	stale     = 0x02
	follows   = 0x04 // Aggregate gives availability, show and priority, and with resources the status
	latest    = 0x08 // updated when the latest resource was

	resourceCount = 0x30
	onePlain      = 0x10 // without show and priority
	oneResource   = 0x20
	countFollows  = 0x30

	unusedPresence = 0xc0
)

// The flags of a resource.
const (
	shows          = 0x07
	hasPriority    = 0x08
	unusedResource = 0xf0
)

func appendPresence(dst []byte, p *perch.Presence) []byte {
	there, show, status, priority := speaks(p.Resources, p.Status)
	flags := bit(p.Available, available) | bit(p.Stale, stale)
	if there == p.Available && show == p.Show && status == p.Status && priority == p.Priority {
		flags |= follows
	}
	if len(p.Resources) > 0 && p.UpdatedAt == lastSaid(p.Resources) {
		flags |= latest
	}
	switch n := len(p.Resources); {
	case n == 0:
	case n == 1 && p.Resources[0].Show == perch.ShowNone && p.Resources[0].Priority == 0:
		flags |= onePlain
	case n == 1:
		flags |= oneResource
	default:
		flags |= countFollows
	}
	dst = append(dst, flags)
	if flags&resourceCount == countFollows {
		dst = binary.AppendUvarint(dst, uint64(len(p.Resources)))
	}
	for i := range p.Resources {
		dst = appendResource(dst, &p.Resources[i], flags&resourceCount == onePlain)
	}
	if flags&follows == 0 {
		dst = append(dst, byte(known(p.Show)), byte(p.Priority))
	}
	if flags&follows == 0 || len(p.Resources) == 0 {
		dst = packed.AppendText(dst, p.Status)
	}
	if flags&latest == 0 {
		dst = binary.AppendUvarint(dst, uint64(p.UpdatedAt))
	}
	return dst
}

func appendResource(dst []byte, r *perch.Resource, plain bool) []byte {
	if !plain {
		dst = append(dst, byte(known(r.Show))|bit(r.Priority != 0, hasPriority))
	}
	dst = packed.AppendText(dst, r.Resource)
	if r.Priority != 0 {
		dst = append(dst, byte(r.Priority))
	}
	dst = packed.AppendText(dst, r.Status)
	return binary.AppendUvarint(dst, uint64(r.UpdatedAt))
}

// known is a show that can be read again.
func known(s perch.Show) perch.Show {
	if !s.Valid() {
		return perch.ShowNone
	}
	return s
}

func lastSaid(list []perch.Resource) perch.Time {
	at := list[0].UpdatedAt
	for i := range list[1:] {
		at = max(at, list[i+1].UpdatedAt)
	}
	return at
}

func (m *maker) presence(r *packed.Reader, jid perch.JID) *perch.Presence {
	flags := r.Octet()
	n := 0
	switch flags & resourceCount {
	case onePlain, oneResource:
		n = 1
	case countFollows:
		n = r.Count(4)
	}
	list := m.resources(n)
	for i := range list {
		readResource(r, &list[i], flags&resourceCount == onePlain)
	}
	p := m.newPresence()
	*p = perch.Presence{JID: jid, Stale: flags&stale != 0, Resources: list}
	if flags&follows == 0 {
		p.Available, p.Show, p.Priority = flags&available != 0, perch.Show(r.Octet()), int8(r.Octet())
	}
	if flags&follows == 0 || n == 0 {
		p.Status = r.Text()
	}
	if flags&follows != 0 {
		p.Available, p.Show, p.Status, p.Priority = speaks(list, p.Status)
	}
	if flags&latest == 0 || n == 0 {
		p.UpdatedAt = perch.Time(r.Number())
	} else {
		p.UpdatedAt = lastSaid(list)
	}
	if flags&unusedPresence != 0 || !p.Show.Valid() {
		r.Fail()
	}
	return p
}

func readResource(r *packed.Reader, to *perch.Resource, plain bool) {
	flags := byte(0)
	if !plain {
		flags = r.Octet()
	}
	*to = perch.Resource{Resource: r.Text(), Show: perch.Show(flags & shows)}
	if flags&hasPriority != 0 {
		to.Priority = int8(r.Octet())
	}
	to.Status, to.UpdatedAt = r.Text(), perch.Time(r.Number())
	if !to.Show.Valid() || flags&unusedResource != 0 {
		r.Fail()
	}
}
