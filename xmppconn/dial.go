package xmppconn

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/logingate"
	"github.com/perch-im/perch/xmppconn/internal/address"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
	"github.com/perch-im/perch/xmppconn/internal/negotiate"
	"github.com/perch-im/perch/xmppconn/internal/readiness"
)

// Options of a Dialer. The zero value is ready for use.
type Options struct {
	Logger   *slog.Logger // nil = silent
	Counters *Counters    // nil = the Dialer's own; several may share one

	// Gate bounds the logins that compute at the same time; nil: nothing does.
	Gate *logingate.Gate

	// ParkAfter is how long a connection is silent before its reader ends, to be started again by what
	// arrives; 0 = 5 s, negative = never. Builds that cannot park readers ignore it.
	ParkAfter time.Duration

	// Observer sees the end of every request of a caller, for metrics: its kind, of which there are some twenty
	// such as roster and roster_set, how long it waited and its error. It must not wait.
	Observer func(kind string, d time.Duration, err error)
	// Trace follows the same requests for traces: it is called at the begin, with the caller's
	// context, and what it returns is called with the error at the end. Nil: no traces.
	// Neither may wait.
	Trace func(ctx context.Context, kind string) (end func(error))
	// Failed is called for each login that failed, unless its caller gave it up; nil: not. It may not
	// wait.
	Failed func(Failure)
}

// Failure is a login that failed, for the operator: what a client sees of it names no address.
type Failure struct {
	Cause  perch.Cause
	Target string // host:port of the connection that failed; "" when there was none
	Err    error
}

// Advice says in a few words what an operator does about a cause.
func Advice(cause perch.Cause) string { return diagnosis.Advice(cause) }

// Dialer signs in connections to one upstream. It is safe for concurrent use, and keeps what
// connections of one upstream have in common: TLS settings, counters, where the server sent
// an account in mid-session, and which form of JID lookup works.
type Dialer struct {
	up          Upstream
	log         *slog.Logger
	counters    *Counters
	observer    func(kind string, d time.Duration, err error)
	trace       func(ctx context.Context, kind string) func(error) // nil: no traces
	failed      func(Failure)
	policy      negotiate.Policy
	tls         tlsConfigs
	gate        *logingate.Gate // nil: none
	poller      poller          // of parked readers
	parkAfter   time.Duration   // 0: readers are never parked
	redirects   *redirects
	crashes     *crashCounts
	seed        maphash.Seed
	epoch       time.Time     // durations since it are monotonic and need eight bytes; never 0
	networks    atomic.Uint32 // address.Class bits of where the upstream itself was reached
	lookupShort atomic.Bool   // the short namespace of JID lookup is the one that works

	dialTCP func(ctx context.Context, network, address string) (net.Conn, error)
}

// NewDialer checks the upstream and fills in its defaults. It does no I/O.
func NewDialer(up Upstream, o Options) (*Dialer, error) {
	if err := up.Validate(); err != nil {
		return nil, err
	}
	d := &Dialer{
		up: up.withDefaults(), log: o.Logger, counters: o.Counters, observer: o.Observer, trace: o.Trace, failed: o.Failed, gate: o.Gate,
		poller: &readiness.Poller{}, parkAfter: parkAfter(o.ParkAfter), redirects: newRedirects(), crashes: newCrashCounts(),
		seed: maphash.MakeSeed(), epoch: time.Now().Add(-time.Millisecond),
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	d.log = d.log.With("component", "xmppconn", "upstream", up.Name)
	if d.counters == nil {
		d.counters = &Counters{}
	}
	if d.observer == nil {
		d.observer = func(string, time.Duration, error) {}
	}
	if d.failed == nil {
		d.failed = func(Failure) {}
	}
	d.policy, d.tls = d.up.policy(), newTLSConfigs(&d.up)
	nd := &net.Dialer{}
	if up.BringYourOwn {
		nd.Control = address.Control
	}
	d.dialTCP = nd.DialContext
	return d, nil
}

// Dial signs in one connection with a Dialer of its own.
func Dial(ctx context.Context, up Upstream, acc perch.Account, o Options) (*Conn, error) {
	d, err := NewDialer(up, o)
	if err != nil {
		return nil, err
	}
	return d.Dial(ctx, acc, nil)
}

// Upstream returns the upstream with its defaults filled in.
func (d *Dialer) Upstream() Upstream { return d.up }

// Capabilities is what the profile promises before a sign-in; Login has what
// the server really offers.
func (d *Dialer) Capabilities() perch.Capabilities { return d.up.capabilities() }

// Counters returns what was counted on all connections of this Dialer.
func (d *Dialer) Counters() *Counters { return d.counters }

// Dial signs in: name lookup, TCP, TLS, SASL and bind, following redirects. Ctx covers the
// sign-in only. Resume is what Conn.StreamState of an earlier connection gave, or nil: that
// stream is resumed (XEP-0198, 5) when the server still has it, and Login.Resumed is true;
// otherwise a resource is bound as if there had been none.
//
// Errors have a kind: KindUnauthorized, KindUpstreamConfig, KindUpstreamTLS,
// KindRedirectRefused, KindStreamConflict, KindPolicy and KindValidation will not go away by
// trying again; KindTryLater, KindUpstreamTimeout (a deadline passed) and KindLinkLost (no
// connection, or it was lost) may.
//
// The work is done on a goroutine that ends with it: a TLS handshake grows a stack that the
// connection's reader, or the caller, would keep for hours.
func (d *Dialer) Dial(ctx context.Context, acc perch.Account, resume []byte) (*Conn, error) {
	return d.run(ctx, signInRequest{acc: acc, earlier: parseStreamState(resume)})
}

// signInRequest is what one sign-in is for.
type signInRequest struct {
	acc       perch.Account
	earlier   *streamState // to resume; nil: bind
	unmanaged bool         // stream management is not asked for, see errNotEnabled
	verify    bool         // only to learn whether the credential is accepted, see Verify
	endToken  bool         // only to end the account's token, see EndToken
	failedAt  *target      // where the error is from that the login ends with
}

// run signs in within the time that the upstream has for it.
func (d *Dialer) run(ctx context.Context, req signInRequest) (*Conn, error) {
	if jid := req.acc.JID; jid != "" && !sameDomain(jid.Domain(), d.up.Domain) {
		// The mechanisms show the localpart alone: the credential would go to a server that
		// has nothing to do with it, and might open another user's account there.
		return nil, perch.Invalid("/jid", "this upstream serves only the domain %s", d.up.Domain)
	}
	if err := d.up.Client.Admit(req.acc, time.Now()); err != nil {
		if perch.CauseOf(err) != "" {
			err = d.fail(err, &target{})
		}
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.up.SignInTimeout)
	defer cancel()
	req.failedAt = &target{}
	began := time.Now()
	conn, err := d.guarded(ctx, req)
	if req.endToken {
		return nil, err // nobody has signed in, or failed to
	}
	if err == nil {
		d.counters.SignIns.Add(1)
		return conn, nil
	}
	// Who gave it up after the time of a whole step had waited for the server in vain.
	canceled := errors.Is(ctx.Err(), context.Canceled)
	if canceled && time.Since(began) < d.up.StepTimeout {
		d.counters.SignInsCanceled.Add(1)
		return nil, err
	}
	if canceled || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = &perch.Error{Kind: perch.KindUpstreamTimeout, Cause: perch.CauseTimeout, Detail: "signing in took too long", Err: err}
	}
	return nil, d.fail(err, req.failedAt)
}

// fail gives the error of a login its cause, and counts and reports it.
func (d *Dialer) fail(err error, at *target) error {
	e := diagnosis.Of(d.server(), err)
	d.counters.SignInFailures.Add(e.Cause)
	f := Failure{Cause: e.Cause, Err: err}
	if at.host != "" {
		f.Target = at.String()
	}
	d.failed(f)
	return e
}

// guarded is signIn on a goroutine of its own. A panic there is an error here.
func (d *Dialer) guarded(ctx context.Context, req signInRequest) (*Conn, error) {
	type result struct {
		conn *Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if p := recover(); p != nil {
				d.panicked("sign-in", p)
				r = result{nil, perch.Wrap(perch.KindLinkLost, fmt.Errorf("panic: %v", p), "internal error while signing in")}
			}
			done <- r
		}()
		r.conn, r.err = d.signIn(ctx, req)
	}()
	r := <-done
	return r.conn, r.err
}

func (d *Dialer) panicked(where string, p any) {
	d.counters.Panics.Add(1)
	d.log.Error("panic", "where", where, "panic", p, "stack", string(debug.Stack()))
}

// signIn follows redirects from the first targets on.
func (d *Dialer) signIn(ctx context.Context, req signInRequest) (*Conn, error) {
	targets, err := d.firstTargets(ctx, req.acc, req.earlier)
	if err != nil {
		return nil, err
	}
	visited := map[string]bool{}
	for range 1 + maxRedirects {
		conn, err := d.tryTargets(ctx, req, targets, visited)
		re, redirected := errors.AsType[*RedirectError](err)
		if !redirected || perch.KindOf(err) == perch.KindRedirectRefused {
			return conn, err
		}
		next := d.up.redirectTarget(re)
		if visited[next.String()] {
			return nil, perch.Wrap(perch.KindRedirectRefused, re, "redirect refused: redirect loop")
		}
		d.counters.Redirects.Add(1)
		d.log.Debug("redirected", "stage", re.Stage, "to", next.String())
		targets = []target{next}
	}
	return nil, perch.Errorf(perch.KindRedirectRefused, "redirect refused: more than %d redirects", maxRedirects)
}

// firstTargets is where to begin: at the host that the last connection was sent to, if any, or
// where the server would like the stream to be resumed, if it is one that may be.
func (d *Dialer) firstTargets(ctx context.Context, acc perch.Account, earlier *streamState) ([]target, error) {
	first, sent := d.redirects.pop(d.accountKey(acc), time.Now())
	targets, err := d.up.targets(ctx)
	if sent {
		return append([]target{first}, targets...), nil
	}
	if earlier != nil && earlier.Location != "" && !d.up.BringYourOwn {
		err := d.up.redirect(earlier.Location, StageAfterSASL, false)
		re, ok := errors.AsType[*RedirectError](error(err))
		if ok && perch.KindOf(err) == perch.KindLinkLost {
			return append([]target{d.up.redirectTarget(re)}, targets...), nil
		}
	}
	return targets, err
}

// accountKey distinguishes accounts without keeping their credentials.
func (d *Dialer) accountKey(acc perch.Account) uint64 {
	var h maphash.Hash
	h.SetSeed(d.seed)
	for _, s := range []string{string(acc.JID), acc.Resource, acc.Token.Reveal(), acc.Password.Reveal()} {
		_, _ = h.WriteString(s)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

// tryTargets tries the next target after an error that may be this target's own. Of
// several errors it returns the one that says most: a refused certificate before a silence.
func (d *Dialer) tryTargets(ctx context.Context, req signInRequest, targets []target, visited map[string]bool) (*Conn, error) {
	var worst error
	for _, t := range targets {
		visited[t.String()] = true
		conn, err := d.attempt(ctx, req, t)
		if resumable, usable := !errors.Is(err, errNotResumed), !errors.Is(err, errTokenRefused); !resumable || !usable {
			if !resumable {
				d.counters.ResumesFailed.Add(1)
				req.earlier = nil
			}
			if !usable {
				req.acc.Fast = perch.FastToken{}
			}
			conn, err = d.attempt(ctx, req, t)
		}
		if errors.Is(err, errNotEnabled) {
			req.earlier, req.unmanaged = nil, true
			conn, err = d.attempt(ctx, req, t)
		}
		if err == nil {
			return conn, nil
		}
		last := !mayTryNext(err) || ctx.Err() != nil
		if last || worst == nil || perch.KindOf(worst) != perch.KindUpstreamTLS {
			worst, *req.failedAt = err, t
		}
		if last {
			break
		}
	}
	return nil, worst
}

func mayTryNext(err error) bool {
	if _, redirected := errors.AsType[*RedirectError](err); redirected {
		return false
	}
	switch perch.KindOf(err) {
	case perch.KindLinkLost, perch.KindUpstreamTimeout, perch.KindUpstreamTLS, perch.KindTryLater:
		return true
	}
	return errors.Is(err, address.ErrRefused)
}

// attempt signs in at one target. However it ends, nothing of a failed attempt is left, nor
// of a verification.
func (d *Dialer) attempt(ctx context.Context, req signInRequest, t target) (*Conn, error) {
	socket, err := d.connect(ctx, t)
	if err != nil {
		return nil, err
	}
	raw, lift, err := d.gate.Pass(ctx, socket)
	if err != nil {
		return nil, errors.Join(diagnosis.Network(err, "waiting for other logins"), socket.Close())
	}
	defer lift()
	signedIn := false
	defer func() {
		if !signedIn {
			_ = raw.Close()
		}
	}()
	// A context does not end a read or write that is going on; closing the socket does.
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	l := newLogin(ctx, d, req.acc, t, raw)
	l.earlier, l.unmanaged, l.verify, l.invalidate = req.earlier, req.unmanaged, req.verify || req.endToken, req.endToken
	if l.verify {
		return l.c, l.blame(l.runVerification())
	}
	if err := l.run(); err != nil {
		return nil, l.blame(err)
	}
	if !stop() {
		return nil, diagnosis.Network(context.Cause(ctx), "signing in")
	}
	signedIn = true
	return l.c, nil
}
