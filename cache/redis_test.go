package cache_test

import (
	"testing"

	"github.com/perch-im/perch/cache/storetest"
	"github.com/perch-im/perch/sessions"
)

func TestMiniredis(t *testing.T) { storetest.Run(t, mini(t).harness) }

func TestRedis(t *testing.T) { storetest.Run(t, realRedis(t).harness) }

func TestSentinel(t *testing.T) { storetest.Run(t, sentinel(t).harness) }

func TestCluster(t *testing.T) { storetest.Run(t, cluster(t).harness) }

// Faults in the script itself: each must be noticed on a real server.
func TestSuiteCatchesFaultsOfRedis(t *testing.T) {
	w := realRedis(t)
	for name, f := range map[string]struct {
		plant []string
		want  []string
	}{
		"a lost TTL of the log": {[]string{"redis.call('PEXPIRE', log, age)", ""}, []string{"a commit is applied whole"}},
		"a lost TTL of a table": {[]string{"redis.call('PEXPIRE', key, ttl, 'NX')", "local _ = 1"}, []string{"roster changes"}},
		"a key that never ends": {[]string{"mine .. once, 'PX', keep_ms", "mine .. once"}, []string{"an idempotency key ends"}},
		"a repeated append": {
			[]string{"if n <= c then", "if false then", "first ~= tip + 1 then", "false then", "(first + i) .. '-1'", "'*'"},
			[]string{"a lost answer counts once", "a repeated commit counts once"},
		},
		"an old owner":  {[]string{"tonumber(s[2]) > tonumber(fence)", "false", "s[2] ~= fence", "false"}, []string{"a durable store survives"}},
		"half a commit": {[]string{"if old then\n", "if old then redis.call('DEL', KEYS[3])\n"}, []string{"a refused commit changes nothing"}},
		"no release":    {[]string{"redis.call('HDEL', state, 'owner')", ""}, []string{"a released session is free"}},
		"a late commit": {[]string{"if n > c then return {'FENCED'} end", ""}, []string{"nothing follows a release"}},
		"a counter ahead of the log": {
			[]string{"local last = first", "if record ~= '' then redis.call('HSET', state, 'record', record) end local last = first"},
			[]string{"what is handled is in the log"},
		},
		"one event less": {[]string{"len <= max_events", "len < max_events"}, []string{"retention by count"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.plant = f.plant
			caught(t, storetest.Failures(t, false, w.harness), f.want)
		})
	}
	w.plant = nil
	t.Run("a reordered commit", func(t *testing.T) {
		faulty := with(w.harness, func(s sessions.Store) sessions.Store { return &reordered{Store: s} })
		caught(t, storetest.Failures(t, false, faulty), []string{"commits keep their order"})
	})
	if names := storetest.Failures(t, false, w.harness); len(names) > 0 {
		t.Errorf("the store without a fault fails %q", names)
	}
}
