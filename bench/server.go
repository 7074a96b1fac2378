package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/perch-im/perch/messenger"
)

// serverRole is the embedded service with accounts for a load, until standard input closes.
func serverRole(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("server: want accounts and buddies, got %q", args)
	}
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	buddies, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	s, err := messenger.New(messenger.Load(count, buddies))
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	if err := say(serverReady{Addr: s.Addr().String(), Domain: s.Domain(), CA: s.CAPEM()}); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return s.Stop(ctx)
}
