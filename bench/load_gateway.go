package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/perch-im/perch/app"
)

// loadReady is the first line of the load role.
type loadReady struct{ URL, Admin string }

// loadRole is a gateway on a store (a Redis address, or "" for memory). It says where it
// is, and ends when standard input closes.
func loadRole(ctx context.Context, args []string) (err error) {
	if len(args) < 1 {
		return fmt.Errorf("load: want a Redis address and the arguments of a gateway")
	}
	c, err := parseClientArgs(args[1:])
	if err != nil {
		return err
	}
	o := app.Options{AdminListen: "127.0.0.1:0", RedisURL: args[0], Secret: strings.Repeat("0123456789abcdef", 2)}
	a, stop, err := startGateway(ctx, c, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if err := say(loadReady{URL: a.URL(), Admin: a.AdminAddr()}); err != nil {
		return err
	}
	return untilClosed()
}

// untilClosed returns when the parent closes standard input.
func untilClosed() error {
	in := bufio.NewScanner(os.Stdin)
	in.Scan()
	return in.Err()
}
