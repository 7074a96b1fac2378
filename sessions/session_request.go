package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// request returns the connection for a request to the upstream; see connection.requestConn.
func (s *Session) request(ctx context.Context, what string, can func(perch.Capabilities) bool) (conn Conn, err error) {
	err = s.callErr(ctx, func() (err error) {
		conn, err = s.conn.requestConn(what, can)
		return err
	})
	return conn, err
}
