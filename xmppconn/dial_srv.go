package xmppconn

import (
	"cmp"
	"context"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/address"
	"golang.org/x/net/idna"
)

// target is one place to dial. Direct means TLS from the first byte.
type target struct {
	host   string // lower case, without a trailing dot; an IPv6 address without brackets
	port   uint16
	direct bool
	// guarded is for a redirect to a host that the operator did not name: see redirectAddresses.
	checkAddress bool
}

// String is host:port, with brackets around an IPv6 address.
func (t target) String() string { return net.JoinHostPort(t.host, strconv.Itoa(int(t.port))) }

const (
	portStartTLS = 5222 // RFC 6120, 14.7
	portDirect   = 5223
	maxTargets   = 16 // of one answer that are tried at all
)

// targets returns where to dial, in the order to try: the configured address, or what SRV
// says (RFC 6120, 3.2.1; XEP-0368), or the domain itself on the usual port. An error has
// KindUpstreamConfig: the domain says that it offers no such service.
func (u *Upstream) targets(ctx context.Context) ([]target, error) {
	if u.Address != "" {
		host, port, err := address.Split(u.Address)
		if err != nil {
			return nil, perch.Wrap(perch.KindUpstreamConfig, err, "the upstream's address is not usable")
		}
		return []target{u.targetAt(host, port)}, nil
	}
	domain, err := idna.Lookup.ToASCII(u.Domain)
	if err != nil {
		domain = strings.Trim(u.Domain, "[]") // an address literal: no SRV for it
	}
	var all []srvTarget
	var asked int
	var refused bool
	for _, kind := range []struct {
		service string
		direct  bool
		wanted  bool
	}{
		{"xmpp-client", false, u.TLS != TLSDirect}, {"xmpps-client", true, u.TLS != TLSStartTLS},
	} {
		if !kind.wanted {
			continue
		}
		list, offered := u.lookup(ctx, kind.service, domain, kind.direct)
		all = append(all, list...)
		if asked++; asked == 1 {
			refused = !offered
		}
	}
	if len(all) > 0 {
		return orderSRV(all, rand.IntN), nil
	}
	// "." in place of the first kind is final; XEP-0368 alone cannot say that there is none.
	if refused {
		return nil, &perch.Error{Kind: perch.KindUpstreamConfig, Cause: perch.CauseName, Detail: "the domain says in DNS that it has no XMPP service for clients"}
	}
	return []target{u.targetAt(domain, 0)}, nil
}

// targetAt completes a host with the port and the kind of TLS that the mode asks for.
func (u *Upstream) targetAt(host string, port uint16) target {
	t := target{host: strings.ToLower(strings.TrimSuffix(host, ".")), port: port}
	switch u.TLS {
	case TLSDirect:
		t.direct = true
	case TLSAuto:
		t.direct = port == portDirect || port == 443
	}
	if t.port == 0 {
		t.port = portStartTLS
		if t.direct {
			t.port = portDirect
		}
	}
	return t
}

type srvTarget struct {
	target
	priority, weight uint16
}

// lookup asks for one kind of SRV record. Offered is false when the domain says "." (RFC
// 2782: the service is decidedly not available). A failed lookup is like no records: the
// certificate is checked anyway, wherever we end up.
func (u *Upstream) lookup(ctx context.Context, service, domain string, direct bool) (list []srvTarget, offered bool) {
	_, records, err := u.Resolver.LookupSRV(ctx, service, "tcp", domain)
	if err != nil && len(records) == 0 {
		return nil, true
	}
	if len(records) == 1 && (records[0].Target == "." || records[0].Target == "") {
		return nil, false
	}
	for _, r := range records {
		host := strings.ToLower(strings.TrimSuffix(r.Target, "."))
		if r.Port != 0 && address.Plain(host) {
			list = append(list, srvTarget{target{host: host, port: r.Port, direct: direct}, r.Priority, r.Weight})
		}
	}
	return list, true
}

// orderSRV sorts by priority and, within one, draws by weight (RFC 2782); records of both
// kinds are one list (XEP-0368). Intn is rand.IntN or a test's.
func orderSRV(all []srvTarget, intn func(int) int) []target {
	slices.SortStableFunc(all, func(a, b srvTarget) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(min(a.weight, 1), min(b.weight, 1)))
	})
	ordered := make([]target, 0, len(all))
	for len(all) > 0 && len(ordered) < maxTargets {
		end, sum := 0, 0
		for end < len(all) && all[end].priority == all[0].priority {
			sum += int(all[end].weight)
			end++
		}
		// Draw among sum+1 values with the weights of zero in front: those keep a small chance.
		draw, pick := intn(sum+1), end-1
		for i := range end {
			if draw -= int(all[i].weight); draw <= 0 {
				pick = i
				break
			}
		}
		ordered = append(ordered, all[pick].target)
		all = slices.Delete(all, pick, pick+1)
	}
	return ordered
}
