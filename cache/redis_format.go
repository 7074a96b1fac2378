package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// The key "format" has, for each kind of record, the latest version that a node may have written, and
// the version of Perch that was the first to write it. A node reads it before anything else, and adds
// what it writes itself before it takes a session. So a program that does not read what is there learns
// that at its start, and not in the middle of a session.

// formatEvery is how often a node notes again what it writes: long before that ends, and soon after Redis
// was emptied.
const formatEvery = time.Hour

// noted is what this process knows of the key.
type noted struct {
	mu     sync.Mutex
	at     time.Time // when this node has noted what it writes; zero: not yet, or it was lost
	joined bool      // it has done so once: from then on it serves what it can
	warned string    // the last refusal that was logged
}

// forget has the next Beat note it again.
func (n *noted) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.at = time.Time{}
}

// due reports whether it is to be noted, and whether for the first time.
func (n *noted) due(now time.Time) (due, first bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.at.IsZero() || now.Sub(n.at) >= formatEvery, !n.joined
}

func (n *noted) done(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.at, n.joined = now, true
}

// news reports whether a refusal is another one than the last.
func (n *noted) news(err error) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	was := n.warned
	n.warned = err.Error()
	return n.warned != was
}

// Raised is a kind of record of which this program writes a later version than any node has before.
type Raised struct {
	Record   string
	From, To int
}

// Raises lists what this program would raise by joining the nodes: programs that do not read those
// versions are refused from then on.
func (r *Redis) Raises(ctx context.Context) ([]Raised, error) {
	stored, err := r.storedFormat(ctx)
	return raises(stored), err
}

func raises(stored map[string]storedVersion) (list []Raised) {
	for _, f := range Formats() {
		if s, ok := stored[f.Record]; ok && s.version < f.Writes {
			list = append(list, Raised{f.Record, s.version, f.Writes})
		}
	}
	return list
}

// checkFormat refuses a store with records that this program does not read. It changes nothing.
func (r *Redis) checkFormat(ctx context.Context) error {
	stored, err := r.storedFormat(ctx)
	if err == nil {
		err = r.judge(stored)
	}
	switch {
	case err == nil:
		return nil
	case verdictOf(err) == refused:
		return fmt.Errorf("redis: reading the key %s is refused; does the ACL user lack a permission? The ACL line is in docs/redis.md: %w", r.keys.format(), err)
	}
	return fmt.Errorf("redis: key %s: %w", r.keys.format(), err)
}

// keepFormat notes what this program writes, when it is due. Once the node has joined, later versions
// are not refused: it serves what it can until it is replaced.
func (r *Redis) keepFormat(ctx context.Context) (first bool, err error) {
	now := time.Now()
	due, first := r.format.due(now)
	if !due {
		return false, nil
	}
	err = r.noteFormat(ctx)
	later, refused := errors.AsType[*sessions.LaterVersionError](err)
	switch {
	case err != nil && first:
		return true, err
	case refused:
		if r.format.news(later) {
			r.o.Logger.Warn("store has records of a later version: finish the upgrade", "key", later.Key, "record", later.Record,
				"version", later.Stored, "by", later.By, "reads", later.Reads)
		}
	case err != nil:
		return false, nil // the beat says so, and the next one tries again
	}
	r.format.done(now)
	return first, nil
}

func (r *Redis) noteFormat(ctx context.Context) error {
	before, err := r.storedFormat(ctx)
	if err == nil {
		err = r.judge(before)
	}
	if err != nil {
		return err
	}
	args := []any{ms(r.o.StateTTL + 2*formatEvery), strings.ReplaceAll(r.o.Version, " ", "-")}
	for _, f := range Formats() {
		args = append(args, f.Record, f.Writes)
	}
	reply, err := r.run(ctx, "format", formatScript, []string{r.keys.format()}, args...)
	if err != nil {
		return err
	}
	for _, x := range raises(before) {
		r.o.Logger.Warn("records are written in a later version from now on", "record", x.Record, "from", x.From, "to", x.To)
	}
	after, err := decodeFormat(reply)
	if err != nil {
		return err
	}
	return r.judge(after) // another one may have come in between
}

// judge refuses what this program does not read.
func (r *Redis) judge(stored map[string]storedVersion) error {
	for _, f := range Formats() {
		s, ok := stored[f.Record]
		if !ok || s.version <= slices.Max(f.Reads) {
			continue
		}
		err := &sessions.LaterVersionError{Key: r.keys.format(), Record: f.Record, Stored: s.version, Reads: f.Reads, By: s.by}
		return perch.Wrap(perch.KindStorageUnavailable, err, "redis has what a later version of Perch has written, and this version would not read all of it; "+
			"nothing was changed. Start that version again, or go back as docs/upgrade.md says")
	}
	return nil
}

// storedVersion is what is noted of a kind of record.
type storedVersion struct {
	version int
	by      string // of Perch; "" is not known
}

func (r *Redis) storedFormat(ctx context.Context) (map[string]storedVersion, error) {
	var rows map[string]string
	err := r.change(ctx, "format", func(ctx context.Context) (err error) {
		rows, err = r.client.HGetAll(ctx, r.keys.format()).Result()
		return err
	})
	if err != nil {
		return nil, err
	}
	return formatOf(rows)
}

func decodeFormat(reply []any) (map[string]storedVersion, error) {
	fields, values := pairs(reply)
	rows := map[string]string{}
	for i, f := range fields {
		rows[f] = values[i]
	}
	return formatOf(rows)
}

// formatOf reads the rows of the kinds that this program knows: a version, a space, and that of Perch.
// Of others it knows nothing to judge.
func formatOf(rows map[string]string) (map[string]storedVersion, error) {
	all := map[string]storedVersion{}
	for _, f := range Formats() {
		row, ok := rows[f.Record]
		if !ok {
			continue
		}
		number, by, _ := strings.Cut(row, " ")
		version, err := strconv.Atoi(number)
		if err != nil || version < 0 {
			return nil, corrupt(fmt.Errorf("format: %s is %.20q", f.Record, row))
		}
		all[f.Record] = storedVersion{version, by}
	}
	return all, nil
}

// latest is the latest version of a kind of record that this program reads.
func latest(record string) int {
	for _, f := range Formats() {
		if f.Record == record {
			return slices.Max(f.Reads)
		}
	}
	return 0
}

// laterSession is the error of a session that a later version has written.
func laterSession(key, record string, version int) error {
	err := &sessions.LaterVersionError{Key: key, Record: record, Stored: version}
	for _, f := range Formats() {
		if f.Record == record {
			err.Reads = f.Reads
		}
	}
	return &perch.Error{Kind: perch.KindStorageUnavailable, Err: err, RetryAfter: time.Second,
		Detail: "a later version of Perch has written this session, and this node cannot read it; ask again"}
}
