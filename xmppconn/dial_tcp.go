package xmppconn

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/address"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
)

// tlsConfigs are shared by all connections of an upstream; crypto/tls only reads them. No
// session cache: a resumed TLS session would outlive the certificate that was checked.
type tlsConfigs struct {
	start, direct *tls.Config
	client        *ClientCertificate // shown in the logins that are made with it, and in no other; nil: none
}

func newTLSConfigs(u *Upstream) tlsConfigs {
	start := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.ServerName, RootCAs: u.RootCAs}
	direct := start.Clone()
	direct.NextProtos = []string{"xmpp-client"} // XEP-0368, 3
	return tlsConfigs{start, direct, u.Client}
}

// of are the settings of a login.
func (t tlsConfigs) of(acc perch.Account, direct bool) *tls.Config {
	cfg := t.start
	if direct {
		cfg = t.direct
	}
	if !t.client.For(acc) {
		return cfg
	}
	cfg = cfg.Clone()
	// Whoever the server says that it trusts: one that does not trust ours says so then.
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &t.client.TLS, nil }
	return cfg
}

// maxAddresses are tried of one host.
const maxAddresses = 6

// connect opens a TCP connection to a target. All addresses of the host share its time.
func (d *Dialer) connect(ctx context.Context, t target) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.up.DialTimeout)
	defer cancel()
	addrs, err := d.addresses(ctx, t.host)
	if err != nil {
		return nil, diagnosis.Network(err, "looking up the server")
	}
	if t.checkAddress {
		if addrs = d.redirectAddresses(addrs); len(addrs) == 0 {
			return nil, perch.Wrap(perch.KindRedirectRefused, address.ErrRefused, "redirect refused: address not allowed")
		}
	}
	var lost error
	for i, a := range addrs {
		one, cancel := context.WithTimeout(ctx, shareOfTime(ctx, len(addrs)-i))
		conn, err := d.dialTCP(one, "tcp", net.JoinHostPort(a, strconv.Itoa(int(t.port))))
		cancel()
		if err == nil {
			if !t.checkAddress {
				d.noteNetwork(a)
			}
			return conn, nil
		}
		if lost = err; ctx.Err() != nil {
			break
		}
	}
	if errors.Is(lost, address.ErrRefused) {
		return nil, &perch.Error{Kind: perch.KindUpstreamConfig, Cause: perch.CauseUnreachable, Detail: "no address of this server is allowed", Err: lost}
	}
	return nil, diagnosis.Network(lost, "connecting to the server")
}

// shareOfTime is an equal part of the time that is left.
func shareOfTime(ctx context.Context, parts int) time.Duration {
	end, _ := ctx.Deadline()
	return time.Until(end) / time.Duration(parts)
}

// addresses resolves a host, the two families by turns, so that one that does not work costs
// half of the time at most.
func (d *Dialer) addresses(ctx context.Context, host string) ([]string, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []string{ip.String()}, nil
	}
	ips, err := d.up.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var four, six []string
	for _, ip := range ips {
		if ip = ip.Unmap(); ip.Is4() {
			four = append(four, ip.String())
		} else {
			six = append(six, ip.String())
		}
	}
	var all []string
	for i := 0; len(all) < maxAddresses && (i < len(four) || i < len(six)); i++ {
		if i < len(six) {
			all = append(all, six[i])
		}
		if i < len(four) {
			all = append(all, four[i])
		}
	}
	if len(all) == 0 {
		return nil, &net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}
	}
	return all, nil
}
