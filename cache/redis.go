package cache

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// RedisOptions of a Redis store. Only URL is needed.
type RedisOptions struct {
	// URL is redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://; see
	// docs/redis.md. TLS replaces the system's roots and names for the rediss forms.
	URL string
	TLS *tls.Config

	Prefix    string             // of every key; default "perch"
	Retention sessions.Retention // of logs; zero fields: sessions.DefaultRetention
	StateTTL  time.Duration      // life of a session's state after its last write; default 7 days, at least Retention.Age

	Timeout  time.Duration // of one round trip; default 1 s
	RetryFor time.Duration // how long a write is tried before it fails; default 3 s
	MaxQueue int           // commits that may wait; default 16,384
	MaxBytes int           // their encoded size; default 64 MiB

	// Observer sees every round trip, for metrics: its name (commit, open, owners, stored, log,
	// message, vcard, forget, bind, lookup, unbind, bindings, ticket, reserve, refund, agree, format, probe, tokens, beat,
	// leave, released, servers, prove), its time and its error. A commit here is one pipeline
	// of many, and so are a proof and what follows when sessions were released. It must not
	// wait.
	Observer func(op string, d time.Duration, err error)
	// Trace follows the same round trips, but for probes, for traces: it is called at the begin,
	// with the caller's context and the number of things in it (of a commit: how many; else 1),
	// and what it returns is called with the error at the end. Nil: no traces. Neither may
	// wait.
	Trace  func(ctx context.Context, op string, n int) (end func(error))
	Logger *slog.Logger // default: nothing is logged

	Version string // of Perch, noted beside what it writes; "" is not known
}

func (o RedisOptions) withDefaults() RedisOptions {
	o.Retention = retention(o.Retention)
	if o.Prefix == "" {
		o.Prefix = "perch"
	}
	o.StateTTL = stateTTL(o.StateTTL, o.Retention)
	if o.Timeout <= 0 {
		o.Timeout = time.Second
	}
	if o.RetryFor <= 0 {
		o.RetryFor = 3 * time.Second
	}
	if o.MaxQueue <= 0 {
		o.MaxQueue = 16_384
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 64 << 20
	}
	if o.Observer == nil {
		o.Observer = func(string, time.Duration, error) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Redis implements sessions.Store on Redis 7 or newer (or Valkey), alone, behind Sentinel
// or as a cluster. Commits go through one writer goroutine, everything else is asked by
// the caller's own.
type Redis struct {
	o       RedisOptions
	keys    keys
	client  redis.UniversalClient
	writer  *writer
	health  health
	members members
	format  noted
	now     func() time.Time // of the age of events; tests move it
	head    []any            // of the arguments of every commit, see commitHead
	commit  *redis.Script    // commitScript; tests plant faults in it, and in the other two
	opening *redis.Script    // openScript
	proof   *redis.Script    // proveScript
}

var _ sessions.Store = (*Redis)(nil)

// discard keeps go-redis from writing to stderr by itself: what matters is returned as an
// error, and addresses do not belong into a log that the operator has not configured.
type discard struct{}

func (discard) Printf(context.Context, string, ...any) {}

var silence = sync.OnceFunc(func() { redis.SetLogger(discard{}) })

// NewRedis connects, checks that the server can be relied on (version, eviction, writes)
// and starts the writer. ctx bounds the checks only. The error says what to change.
func NewRedis(ctx context.Context, o RedisOptions) (*Redis, error) {
	silence()
	o = o.withDefaults()
	client, err := dial(o.URL, o.TLS, o.Timeout)
	if err != nil {
		return nil, err
	}
	r := &Redis{o: o, keys: keys{o.Prefix}, client: client, now: time.Now, head: commitHead(&o), commit: commitScript, opening: openScript, proof: proveScript}
	if err := r.check(ctx); err != nil {
		_ = client.Close()
		return nil, err
	}
	r.health.set(nil)
	r.writer = startWriter(r)
	return r, nil
}

// Durable implements sessions.Store: what is stored outlives this process.
func (r *Redis) Durable() bool { return true }

// Close implements sessions.Store. When ctx ends first, what is still queued fails.
func (r *Redis) Close(ctx context.Context) error {
	err := r.writer.close(ctx)
	r.health.close()
	if cerr := r.client.Close(); err == nil && cerr != nil && !errors.Is(cerr, redis.ErrClosed) {
		err = unavailable(cerr)
	}
	return err
}

// ask does one round trip for a caller that waits. It repeats what was cut off, within
// the caller's time: every operation that is asked this way may be done twice.
func (r *Redis) ask(ctx context.Context, op string, f func(context.Context) error) error {
	deadline := time.Now().Add(r.o.RetryFor)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		start, traced := time.Now(), r.trace(ctx, op, 1)
		err := f(ctx)
		r.observe(op, start, traced, err)
		if err == nil || verdictOf(err) == refused || ctx.Err() != nil || time.Now().Add(pause).After(deadline) {
			return err
		}
		if !sleep(ctx, pause) {
			return err
		}
	}
}

// trace is RedisOptions.Trace; without one it costs nothing.
func (r *Redis) trace(ctx context.Context, op string, n int) func(error) {
	if r.o.Trace == nil {
		return nil
	}
	return r.o.Trace(ctx, op, n)
}

// observe reports a round trip. That there is no such key is an answer, not an error.
func (r *Redis) observe(op string, start time.Time, traced func(error), err error) {
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	r.o.Observer(op, time.Since(start), err)
	if traced != nil {
		traced(err)
	}
}

// run asks with a script. The reply of all scripts but unbind is an array.
func (r *Redis) run(ctx context.Context, op string, s *redis.Script, keys []string, args ...any) ([]any, error) {
	var reply []any
	err := r.ask(ctx, op, func(ctx context.Context) (err error) {
		reply, err = s.Run(ctx, r.client, keys, args...).Slice()
		return err
	})
	if err != nil {
		return nil, unavailable(err)
	}
	return reply, nil
}

func unavailable(err error) error {
	return perch.Wrap(perch.KindStorageUnavailable, err, "the store cannot be reached or does not take writes")
}

func ms(d time.Duration) int64 { return d.Milliseconds() }
