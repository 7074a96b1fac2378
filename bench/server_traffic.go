package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/messenger"
)

// trafficDone is the answer to a line of the server role.
type trafficDone struct {
	Error string
	Took  time.Duration
}

// audience is the accounts of a server role.
type audience struct {
	service           *messenger.Service
	sessions, buddies int
}

// traffic does what a line asks for:
//
//	presence N TEXT    lets N buddies change, which each session gets
//	message N TEXT     sends one to session N
//	messages N M FROM  sends N to M sessions in turn, from session FROM on
//	drop M FROM        cuts the connections of M sessions
func (a audience) traffic(line string) trafficDone {
	begun := time.Now()
	if err := a.do(line); err != nil {
		return trafficDone{Error: fmt.Sprintf("traffic %.40q: %v", line, err)}
	}
	return trafficDone{Took: time.Since(begun)}
}

func (a audience) do(line string) error {
	what, rest, _ := strings.Cut(line, " ")
	switch what {
	case "presence", "message":
		number, text, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			return err
		}
		if what == "message" {
			return a.deliver(n, text)
		}
		return a.change(n, text)
	case "messages":
		var n, m, from int
		if _, err := fmt.Sscan(rest, &n, &m, &from); err != nil {
			return err
		}
		if m < 1 {
			return fmt.Errorf("%d sessions", m)
		}
		for i := range n {
			if err := a.deliver(from+i%m, loadBody); err != nil {
				return err
			}
		}
		return nil
	case "drop":
		var m, from int
		if _, err := fmt.Sscan(rest, &m, &from); err != nil {
			return err
		}
		return a.drop(m, from)
	}
	return fmt.Errorf("%q is not known", what)
}

// loadBody is as long as people's messages are.
const loadBody = "See you at the station at half past six, will you?"

func (a audience) deliver(session int, text string) error {
	return a.service.Deliver("bot-0", loadToken(session), text)
}

func (a audience) change(buddies int, text string) error {
	if buddies > a.buddies {
		return fmt.Errorf("there are %d buddies", a.buddies)
	}
	for i := range buddies {
		p := perch.OwnPresence{Available: true, Show: perch.ShowAway, Status: text}
		if err := a.service.SetPresence(fmt.Sprint("bot-", i), p); err != nil {
			return err
		}
	}
	return nil
}

func (a audience) drop(n, from int) error {
	if from < 0 || from+n > a.sessions {
		return fmt.Errorf("there are %d sessions", a.sessions)
	}
	for i := range n {
		a.service.Drop(loadToken(from + i))
	}
	return nil
}
