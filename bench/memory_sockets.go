package main

import (
	"context"
	"errors"
	"io"
)

// eventSockets weighs idle event streams on top of sessions: WebSocket, then SSE beside them, each
// of another session. w is what the gateway weighs without. None is closed before all are
// weighed: what it leaves would be taken by the next.
func eventSockets(ctx context.Context, l *lab, g *gateway, sessions int, w weight) (err error) {
	count := min(l.effort.sockets, sessions/2)
	streams := make([]io.Closer, 2*count)
	defer func() {
		for _, s := range streams {
			if s != nil {
				err = errors.Join(err, s.Close())
			}
		}
	}()
	for kind, name := range []string{"idle event socket, WebSocket", "idle event socket, SSE"} {
		l.note("%d times: %s", count, name)
		err := openAll(ctx, kind*count, (kind+1)*count, func(_ context.Context, i int) error {
			s, err := openStream(ctx, g.url, i, kind == 0)
			if err == nil {
				streams[i] = s
			}
			return err
		})
		if err != nil {
			return err
		}
		after, err := g.weigh(ctx, l.effort.quiet)
		if err != nil {
			return err
		}
		l.each(name, "socket", "", count, w, after)
		w = after
	}
	return nil
}
