package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/perch-im/perch/app"
)

// frontRole is a gateway in front of a standard XMPP server: address, domain, CA. It says
// where it is, and ends when standard input closes.
func frontRole(ctx context.Context, args []string) (err error) {
	if len(args) != 3 {
		return fmt.Errorf("front: want address, domain and CA file, got %d arguments", len(args))
	}
	a, stop, err := runGateway(ctx, app.Options{
		AdminListen: "off",
		Upstreams:   []app.Upstream{{Name: "real", Domain: args[1], Address: args[0], CAFile: args[2]}},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if err := say(loadReady{URL: a.URL()}); err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	in.Scan() // until the parent closes it
	return in.Err()
}
