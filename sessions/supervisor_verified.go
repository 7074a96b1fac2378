package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// reserve makes the caller the one who signs a suspended session in, with another credential;
// ok is false when the session is not suspended, or cannot sign in right now. giveUp or finish
// follows.
func (lg *login) reserve(ctx context.Context, fresh perch.Account, tokenBearer bool) (req DialRequest, ok bool, err error) {
	err = lg.call(ctx, func() {
		// What waits to be written has to be written first: to resume is to acknowledge.
		ok = lg.supervisor.state.state == perch.StateSuspended && lg.stream() == nil && !lg.supervisor.dialling && !lg.host.over() && lg.connection.log.empty()
		if ok {
			lg.supervisor.dialling = true
			req = lg.dialRequest(fresh, tokenBearer)
			req.Account.Fast = perch.FastToken{} // which would sign in whatever the credential is
		}
	})
	return req, ok, err
}

// giveUp ends what reserve began; conn is nil when the upstream refused the login.
func (lg *login) giveUp(conn Conn) {
	lg.post(func() { lg.supervisor.dialling, lg.supervisor.outdated = false, false })
	if conn != nil {
		conn.Abort()
	}
}

// finish goes through the login sequence on a connection that was signed in with the
// credential which the session has by now, and waits for the end of it, for as long as ctx. A
// connection that is lost meanwhile is no error: the session tries again by itself.
func (lg *login) finish(ctx context.Context, conn Conn) error {
	verdict := make(chan error, 1)
	if err := lg.call(context.WithoutCancel(ctx), func() {
		lg.supervisor.attempt, lg.supervisor.waiting = 0, append(lg.supervisor.waiting, verdict)
		lg.supervisor.setState(perch.StateReconnecting, lg.supervisor.state.reason, 0, false)
		lg.background(func(ctx context.Context) { lg.enter(ctx, conn) })
	}); err != nil {
		conn.Abort()
		return err
	}
	select {
	case err := <-verdict:
		if k := perch.KindOf(err); err != nil && (k == perch.KindUnauthorized || k == perch.KindForbidden) {
			return err
		}
		return nil
	case <-ctx.Done():
		return nil
	case <-lg.done:
		return lg.endedError()
	}
}
