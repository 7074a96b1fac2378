package messenger

import (
	"fmt"
	"net"
	"sync"
)

// RedirectStage is where in a stream see-other-host is sent.
type RedirectStage string

// The stages. The historical service moved its redirect from one to the other in 2012.
const (
	RedirectNone     RedirectStage = "none"
	RedirectPreTLS   RedirectStage = "pretls"   // in place of the first features
	RedirectPostTLS  RedirectStage = "posttls"  // in place of the features after TLS
	RedirectPostAuth RedirectStage = "postauth" // in place of the features after SASL
	RedirectOnline   RedirectStage = "online"   // after the initial presence
)

// Redirect says when the service sends see-other-host (RFC 6120, 4.9.3.19).
type Redirect struct {
	Stage RedirectStage // default none

	// Targets are sent as they are, one after another; the last one is repeated. Empty:
	// the service's own address.
	Targets []string
	Times   int // how many redirects are given before a client is served; 0: all
	// PerAddress counts Times for each client xmppserver.Address, not for all together.
	PerAddress bool
}

func (r Redirect) validate() error {
	switch r.Stage {
	case "", RedirectNone, RedirectPreTLS, RedirectPostTLS, RedirectPostAuth, RedirectOnline:
	default:
		return fmt.Errorf("messenger: Redirect.Stage %q is none of none, pretls, posttls, postauth, online", r.Stage)
	}
	if r.Times < 0 {
		return fmt.Errorf("messenger: Redirect.Times is negative")
	}
	return nil
}

// redirector decides about each stream; it is safe for concurrent use.
type redirector struct {
	mu    sync.Mutex
	rule  Redirect
	given map[string]int // redirects by client xmppserver.Address, or under "" for all
}

func (d *redirector) set(r Redirect) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rule, d.given = r, make(map[string]int)
}

// at returns the target for a client that has come to stage, or false to serve it here.
func (d *redirector) at(stage RedirectStage, client, own net.Addr) (string, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.rule.Stage != stage {
		return "", false
	}
	key := ""
	if d.rule.PerAddress {
		key = hostOf(client)
	}
	n := d.given[key]
	if d.rule.Times > 0 && n >= d.rule.Times {
		return "", false
	}
	if len(d.given) > 10_000 { // addresses are the client's choice: never let them pile up
		clear(d.given)
	}
	d.given[key] = n + 1
	if len(d.rule.Targets) == 0 {
		return own.String(), true
	}
	return d.rule.Targets[min(n, len(d.rule.Targets)-1)], true
}

func hostOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
}
