package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// betweenJoins is more than what a gateway leaves between two joins of a service, so that none waits.
const betweenJoins = 250 * time.Millisecond

// largeRooms measures what a session costs that joins a room with many occupants: the first one of the
// gateway, whose list is all that is known of them, and another one after it.
func largeRooms(ctx context.Context, l *lab) (err error) {
	l.note("joins of %d rooms with %d occupants", l.effort.rooms.crowds, l.effort.rooms.occupants)
	r, err := l.startRooms(ctx, 2)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.end()) }()
	if _, err := r.traffic("crowds %d %d", l.effort.rooms.crowds+1, l.effort.rooms.occupants); err != nil {
		return err
	}
	if err := r.client.openRange(ctx, 0, 2); err != nil {
		return err
	}
	for i := range 2 { // what a process does for the first time takes longer
		if err := r.join(ctx, i, crowdRoom(l.effort.rooms.crowds), "Guest"); err != nil {
			return err
		}
	}
	w, err := r.gateway.weigh(ctx, l.effort.quiet)
	if err != nil {
		return err
	}
	for i, name := range []string{nameFirstIn, nameSecondIn} {
		if w, err = r.joinCrowds(ctx, i, name, w); err != nil {
			return err
		}
	}
	return nil
}

// joinCrowds lets a session join all of these rooms, one after the other. W is what the gateway weighs
// before.
func (r *roomLab) joinCrowds(ctx context.Context, session int, name string, w weight) (weight, error) {
	n := float64(r.effort.rooms.crowds)
	before, err := r.traffic("bytes %s", loadToken(session))
	if err != nil {
		return w, err
	}
	times := make([]float64, r.effort.rooms.crowds)
	used, err := r.used(func() error {
		for i := range times {
			if err := sleep(ctx, betweenJoins); err != nil {
				return err
			}
			began := time.Now()
			if err := r.join(ctx, session, crowdRoom(i), fmt.Sprint("Guest ", session)); err != nil {
				return err
			}
			times[i] = time.Since(began).Seconds() * 1000
		}
		return nil
	})
	if err != nil {
		return w, err
	}
	after, err := r.traffic("bytes %s", loadToken(session))
	if err != nil {
		return w, err
	}
	now, err := r.gateway.weigh(ctx, r.effort.quiet)
	if err != nil {
		return w, err
	}
	for _, f := range []struct {
		what  string
		value float64
		unit  string
	}{
		{"time", median(times), "ms"},
		{"CPU", 1000 * used / n, "ms"},
		{"bytes from the server", float64(after.Bytes-before.Bytes) / n / 1024, "KiB"},
		{"heap", (now.heap - w.heap) / n / 1024, "KiB"},
	} {
		with := ""
		if name != nameFirstIn {
			with = nameFirstIn + ", " + f.what
		}
		r.report.add(name+", "+f.what, f.value, f.unit, with)
	}
	return now, nil
}
