package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/messenger"
)

// serverReady is the first line of the server role.
type serverReady struct {
	Addr, Domain string
	CA           []byte // PEM
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
	if err := say(serverReady{Addr: s.Addr().String(), Domain: s.Domain(), CA: s.CAPEM()}); err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if err := say(traffic(s, count, buddies, in.Text())); err != nil {
			return err
		}
	}
	return errors.Join(in.Err(), s.Stop(ctx))
}

// trafficDone is the answer to a line of the server role.
type trafficDone struct {
	Error string
	Took  time.Duration
}

// traffic does what a line asks for: "presence N TEXT" lets N buddies change, which each
// session gets, "messages N M" sends N messages to M sessions in turn, "message N TEXT" sends one to
// session N, and "drop N M" cuts the connections of N sessions from session M on.
func traffic(s *messenger.Service, count, buddies int, line string) trafficDone {
	var what, text string
	var n, m int
	begun := time.Now()
	_, err := fmt.Sscan(line, &what, &n, &text)
	switch {
	case err != nil:
	case what == "presence" && n <= buddies:
		for i := 0; i < n && err == nil; i++ {
			err = s.SetPresence(fmt.Sprint("bot-", i), perch.OwnPresence{Available: true, Show: perch.ShowAway, Status: text})
		}
	case what == "message" && n < count:
		_, text, _ = strings.Cut(line, " ")
		_, text, _ = strings.Cut(text, " ")
		err = s.Deliver("bot-0", fmt.Sprint("load-", n), text)
	case what == "drop":
		if m, err = strconv.Atoi(text); err == nil && m >= 0 && m+n <= count {
			for i := range n {
				s.Drop(fmt.Sprint("load-", m+i))
			}
		}
	case what == "messages":
		if m, err = strconv.Atoi(text); err == nil && m > 0 && m <= count {
			for i := 0; i < n && err == nil; i++ {
				err = s.Deliver("bot-0", fmt.Sprint("load-", i%m), loadBody)
			}
		}
	default:
		err = fmt.Errorf("traffic %q is not known", line)
	}
	if err != nil {
		return trafficDone{Error: err.Error()}
	}
	return trafficDone{Took: time.Since(begun)}
}

// loadBody is as long as people's messages are.
const loadBody = "See you at the station at half past six, will you?"
