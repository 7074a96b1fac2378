package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/messenger"
)

const (
	pathRelay  = "relay"
	pathMemory = "perch"
	pathRedis  = "perch on redis"
)

// path measures the time from a server that writes a message to the reader of an event socket, and
// beside it what a relay needs that does nothing: TLS in, TCP out. The server and all readers
// are in this process, with one clock.
func path(ctx context.Context, l *lab) error {
	s, err := messenger.New(messenger.Load(3, l.buddies))
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	l.Cleanup(func() { _ = s.Stop(context.WithoutCancel(ctx)) })
	ready := serverReady{Addr: s.Addr().String(), Domain: s.Domain(), CA: s.CAPEM(), Profile: app.ProfileMessenger}
	ways, err := l.ways(ctx, ready)
	for _, w := range ways {
		defer func() { _ = w.end() }() // nothing is read any more
	}
	if err != nil {
		return err
	}
	for _, rate := range latencyRates {
		l.note("socket to socket at %d messages a second", rate)
		found := map[string][]float64{}
		for range l.effort.turns {
			for _, w := range ways {
				if err := w.measure(ctx, s, newMeasurement(rate, l.effort.flow), rate, found); err != nil {
					return fmt.Errorf("%s: %w", w.name, err)
				}
			}
		}
		recordPath(l.report, rate, found)
	}
	return nil
}

func recordPath(r *report, rate int, found map[string][]float64) {
	of := func(way, figure string) string {
		return fmt.Sprintf("socket to socket at %d/s, %s %s", rate, way, figure)
	}
	for _, f := range []string{"p50", "p99"} {
		r.add(of(pathRelay, f), median(found[pathRelay+f]), "ms", "")
		r.add(of(pathMemory, f), median(found[pathMemory+f]), "ms", of(pathRelay, f))
		r.add(of(pathRedis, f), median(found[pathRedis+f]), "ms", of(pathMemory, f))
	}
	r.add(of("redis", "adds p50"), median(found[pathRedis+"p50"])-median(found[pathMemory+"p50"]), "ms", "")
	for _, w := range []string{pathRelay, pathMemory, pathRedis} {
		with := ""
		if w != pathRelay {
			with = of(pathRelay, "CPU of a message")
		}
		r.add(of(w, "CPU of a message"), median(found[w+"CPU"]), "µs", with)
	}
}

// way is one from the server to a reader.
type way struct {
	name string
	user string // who gets the messages
	pid  int    // of what is between
	hear func(ctx context.Context, began time.Time, arrived []time.Duration) error
	end  func() error
}

// ways opens them, each for another user. What is open is returned with an error, too.
func (l *lab) ways(ctx context.Context, ready serverReady) (ways []*way, err error) {
	relay, err := l.relay(ctx, ready, "load-0")
	if err != nil {
		return nil, err
	}
	ways = append(ways, relay)
	url, _ := l.redis()
	for _, x := range []struct{ name, user, store string }{{pathMemory, "load-1", ""}, {pathRedis, "load-2", url}} {
		g, err := l.gateway(3, ready, gatewayOptions{redis: x.store})
		if err != nil {
			return ways, err
		}
		socket, err := openSocket(ctx, g.url, x.user)
		if err != nil {
			return ways, err
		}
		ways = append(ways, &way{name: x.name, user: x.user, pid: g.PID(), hear: socket.hear, end: func() error { err := socket.close(); g.end(); return err }})
	}
	return ways, nil
}

// relay starts the role and connects its reader.
func (l *lab) relay(ctx context.Context, ready serverReady, user string) (*way, error) {
	c, err := l.child(ctx, kindBaseline, "relay", ready.Addr, ready.Domain, string(ready.CA), user)
	if err != nil {
		return nil, err
	}
	var at relayReady
	if err := c.read(&at); err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", at.Addr)
	if err != nil {
		return nil, err
	}
	r := &relayReader{conn: conn, in: bufio.NewScanner(conn)}
	r.in.Split(splitMessages)
	return &way{name: pathRelay, user: user, pid: c.cmd.Process.Pid, hear: r.hear, end: conn.Close}, nil
}

// relayReader reads what the relay writes.
type relayReader struct {
	conn net.Conn
	in   *bufio.Scanner
}

// hear is that of a lane.
func (r *relayReader) hear(ctx context.Context, began time.Time, arrived []time.Duration) error {
	stop := context.AfterFunc(ctx, func() { _ = r.conn.SetReadDeadline(time.Now()) })
	defer stop()
	for heard := 0; heard < len(arrived); {
		if !r.in.Scan() {
			return fmt.Errorf("%d of %d messages have arrived: %w", heard, len(arrived), errors.Join(r.in.Err(), ctx.Err()))
		}
		now := time.Since(began)
		if n := numberOf(r.in.Bytes()); n >= 0 && n < len(arrived) && arrived[n] == 0 {
			arrived[n] = now
			heard++
		}
	}
	return nil
}

// splitMessages cuts a stream behind each message; what else there is comes with the next one.
func splitMessages(b []byte, atEOF bool) (int, []byte, error) {
	const end = "</message>"
	if i := bytes.Index(b, []byte(end)); i >= 0 {
		return i + len(end), b[:i+len(end)], nil
	}
	if atEOF {
		return len(b), nil, nil
	}
	return 0, nil, nil
}

// measure sends messages by one way for a while.
func (w *way) measure(ctx context.Context, s *messenger.Service, m *measurement, rate int, found map[string][]float64) error {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	before, err := cpuTime(w.pid)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	var heard error
	began := time.Now()
	wg.Go(func() {
		if heard = w.hear(ctx, began, m.gateway); heard != nil {
			cancel()
		}
	})
	err = pace(ctx, rate, began, m.left, m.lag, func(n int) error { return s.Deliver("bot-0", w.user, numbered(n)) })
	if err != nil {
		cancel()
	}
	wg.Wait()
	if err := errors.Join(heard, err); err != nil {
		return err
	}
	after, err := cpuTime(w.pid)
	f := m.result()
	note := func(figure string, v float64) { found[w.name+figure] = append(found[w.name+figure], v) }
	note("p50", quantile(f.gateway, 0.50))
	note("p99", quantile(f.gateway, 0.99))
	note("CPU", 1e6*after.minus(before).sum()/float64(len(m.left)))
	return err
}
