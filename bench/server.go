package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/messenger"
)

// serverReady is the first line of the server role.
type serverReady struct {
	Addr, Domain string
	CA           []byte // PEM
	Profile      string // of the upstream; "" is the default
	Tokens       string // the mechanism for the tokens of clients; "" is that of the profile
}

// serverRole is the embedded service with accounts for a load, until standard input closes.
// Each line on it is traffic to be made.
func serverRole(ctx context.Context, args []string) error {
	if len(args) != 3 && len(args) != 5 {
		return fmt.Errorf("server: want accounts, buddies and how these are, or an address and a domain too, got %q", args)
	}
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	buddies, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	load := messenger.Load
	if args[2] == buddiesOwn {
		load = messenger.LoadApart
	}
	o := load(count, buddies)
	if len(args) == 5 {
		o.Listen, o.Domain = args[3], args[4]
	}
	s, err := messenger.New(o)
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	if err := say(serverReady{Addr: s.Addr().String(), Domain: s.Domain(), CA: s.CAPEM(), Profile: app.ProfileMessenger}); err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if err := say(audience{s, count, buddies}.traffic(in.Text())); err != nil {
			return err
		}
	}
	return errors.Join(in.Err(), s.Stop(ctx))
}
