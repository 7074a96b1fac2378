package xmppconn

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/ttlmap"
	"github.com/perch-im/perch/xmppconn/internal/address"
)

// maxRedirects is how many times in one sign-in the server may send us elsewhere.
const maxRedirects = 5

// Stage says how far a connection was when the server sent it elsewhere.
type Stage string

// The stages of see-other-host.
const (
	StageBeforeTLS  Stage = "before-tls"
	StageAfterTLS   Stage = "after-tls"
	StageAfterSASL  Stage = "after-sasl" // in place of success, of the features after it, or of bind
	StageMidSession Stage = "mid-session"
)

// RedirectError is the cause of an error when the server sent the connection to another host
// (RFC 6120, 4.9.3.19). During sign-in Dial follows it; a connection that was up ends with
// it, and the next Dial of the same Dialer for the same account begins there.
type RedirectError struct {
	Host  string // lower case; an IPv6 address without brackets
	Port  uint16 // 5222 when the server named none
	Stage Stage

	direct       bool // the connection that was redirected had TLS from its first byte
	checkAddress bool // the operator did not name this very host: its addresses are checked
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("see-other-host (%s) to %s", e.Stage, target{host: e.Host, port: e.Port})
}

// redirect makes the error of a see-other-host. Its kind is KindLinkLost when it may be
// followed and KindRedirectRefused when not.
func (u *Upstream) redirect(content string, stage Stage, direct bool) *perch.Error {
	host, port, err := address.Split(strings.TrimSpace(content))
	if err != nil {
		return perch.Wrap(perch.KindRedirectRefused, err, "invalid redirect address")
	}
	if port == 0 {
		port = portStartTLS
	}
	re := &RedirectError{Host: strings.ToLower(strings.TrimSuffix(host, ".")), Port: port, Stage: stage, direct: direct}
	allowed, named := u.redirectAllowed(re.Host, port)
	if !allowed {
		return perch.Wrap(perch.KindRedirectRefused, re, "redirect refused: host or port not allowed")
	}
	re.checkAddress = !named
	return perch.Wrap(perch.KindLinkLost, re, "the server redirects to another host")
}

// redirectTarget says how to dial a redirect. There is no SRV for it, and the kind of TLS
// stays what it was unless the port says otherwise.
func (u *Upstream) redirectTarget(e *RedirectError) target {
	t := u.targetAt(e.Host, e.Port)
	t.checkAddress = e.checkAddress
	if u.TLS == TLSAuto && e.Port != portStartTLS && !t.direct {
		t.direct = e.direct
	}
	return t
}

// redirects remembers, for a while, where connections were sent in mid-session. It is keyed
// by a keyed hash of the account, so that it holds no credential.
type redirects struct {
	mu      sync.Mutex
	targets ttlmap.Map[uint64, target]
}

const (
	redirectTTL   = 5 * time.Minute
	maxRemembered = 1 << 16
)

func newRedirects() *redirects {
	return &redirects{targets: ttlmap.Map[uint64, target]{Max: maxRemembered}}
}

// remember notes where an account was sent, unless there are too many of them.
func (r *redirects) remember(account uint64, to target, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.targets.Full(now) {
		r.targets.Put(account, to, now, redirectTTL)
	}
}

// pop returns where the account was sent, once.
func (r *redirects) pop(account uint64, now time.Time) (target, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.targets.Delete(account, now)
}
