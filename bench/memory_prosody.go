package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/perch-im/perch/internal/testkit"
)

// prosodySessions weighs sessions of a real server over its own WebSocket: what a web client
// costs that server without a gateway. They have an empty roster. The server is no Go
// program, so there is no other figure than how it sits.
func prosodySessions(ctx context.Context, l *lab, count int) (err error) {
	l.note("%d idle sessions, Prosody's WebSocket", count)
	server := l.prosody()
	var open []*xmppSocket
	defer func() {
		for _, s := range open {
			err = errors.Join(err, s.close())
		}
	}()
	weigh := func(n int) (float64, error) {
		users := make([]testkit.User, n)
		for i := range users {
			users[i] = server.NewUser(l, "idle")
		}
		sockets := make([]*xmppSocket, n)
		err := openAll(ctx, 0, n, func(_ context.Context, i int) (err error) {
			if sockets[i], err = openXMPP(ctx, server.HTTPAddr, users[i].JID, users[i].Password, "idle"); err != nil {
				return err
			}
			return sockets[i].available(ctx)
		})
		open = append(open, slices.DeleteFunc(sockets, func(s *xmppSocket) bool { return s == nil })...)
		if err := errors.Join(err, sleep(ctx, l.effort.idle)); err != nil {
			return 0, err
		}
		return rssOf(server.PID())
	}
	before, err := weigh(l.effort.warm)
	if err != nil {
		return fmt.Errorf("prosody: %w", err)
	}
	after, err := weigh(count)
	if err != nil {
		return fmt.Errorf("prosody: %w", err)
	}
	l.report.add("prosody WebSocket session resident", (after-before)/float64(count)/1024, "KiB/session", "")
	return nil
}
