package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// handshakeRole opens streams up to TLS and closes them again: what a login costs before anybody
// has said who he is. For the line "from to" it makes that many, as many at once as sessions
// are opened, and reports.
func handshakeRole(ctx context.Context, args []string) error {
	c, err := parseClientArgs(args)
	if err != nil {
		return err
	}
	server := serverReady{Addr: c.addr, Domain: c.domain, CA: c.ca}
	return serveLines(func(line string) (any, error) {
		var from, to int
		if _, err := fmt.Sscan(line, &from, &to); err != nil {
			return nil, err
		}
		before, began := ownCPU(), time.Now()
		err := openAll(ctx, from, to, func(ctx context.Context, _ int) error {
			r, err := dialRaw(ctx, server)
			if err != nil {
				return err
			}
			return errors.Join(r.secure(ctx), r.close())
		})
		u := ownCPU().minus(before)
		return handshakes{User: u.user, System: u.system, Took: time.Since(began)}, err
	})
}

// handshakes is what the role reports.
type handshakes struct {
	User, System float64 // seconds of a core
	Took         time.Duration
}
