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
		"a lost TTL of a table": {[]string{"redis.call('PEXPIRE', key, ttl, 'NX')", "local _ = 1"}, []string{"contacts change"}},
		"a row that stays":      {[]string{"redis.call('HDEL', key, ARGV[d])", "local _ = 1"}, []string{"contacts change", "contacts are found whole"}},
		"a key that never ends": {[]string{"mine .. once, 'PX', keep_ms", "mine .. once"}, []string{"an idempotency key ends"}},
		"a repeated append": {
			[]string{"if n <= c then", "if false then", "first ~= tip + 1 then", "false then"},
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
		"rooms without a bound": {[]string{"if have > most then", "if false then"}, []string{"rooms are bounded", "readers are bounded"}},
		"rooms left out":        {[]string{"put_bounded(key, at, puts, 500)", "local _ = 1"}, []string{"room changes", "rooms survive"}},
		"readers left out":      {[]string{"put_bounded(key, at, puts, 30)", "local _ = 1"}, []string{"reader changes", "readers survive"}},
		"one event less":        {[]string{"len <= max_events", "len < max_events"}, []string{"retention by count"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.plant = f.plant
			caught(t, storetest.Failures(t, false, w.harness, f.want...), f.want)
		})
	}
	w.plant = nil
	t.Run("a reordered commit", func(t *testing.T) {
		faulty := with(w.harness, func(s sessions.Store) sessions.Store { return &reordered{Store: s} })
		want := []string{"commits keep their order"}
		caught(t, storetest.Failures(t, false, faulty, want...), want)
	})
	if names := storetest.Failures(t, false, w.harness); len(names) > 0 {
		t.Errorf("the store without a fault fails %q, want none", names)
	}
}

// Faults in what proves a log, each against the cases about that.
func TestSuiteCatchesFaultsOfProofs(t *testing.T) {
	w := realRedis(t)
	for name, f := range map[string]struct {
		plant []string
		want  []string
	}{
		"an epoch that stays on another server": {
			[]string{"if older or not (sure or held) then", "if older then"},
			[]string{"a cold owner begins a new log on a store that went back", "a cold owner begins a new log on another server",
				"an owner that was replaced proves nothing", "an owner that gave up proves nothing"},
		},
		"a server that is never sure":        {[]string{"s[8] == here", "false"}, []string{"a cold owner keeps the log on the same server"}},
		"an owner that is always sure":       {[]string{"ARGV[9] == '1'", "true"}, []string{"an owner that gave up proves nothing"}},
		"an owner that is never sure":        {[]string{"ARGV[9] == '1'", "false"}, []string{"a live owner keeps its log over a restart"}},
		"no proof":                           {[]string{"redis.call('HSET', KEYS[1], 'server', here)", ""}, []string{"a live owner proves its log for those who come later"}},
		"a proof of what is not there":       {[]string{"tonumber(s[4]) < tonumber(ARGV[4])", "false"}, []string{"a live owner notices that the store went back"}},
		"a later owner that is not believed": {[]string{"if older or not (sure or held) then", "if not held and (older or not sure) then"}, []string{"who remembers more is believed while another one holds"}},
		"a mark that does not last":          {[]string{"'stale', at)", "'stale', at) redis.call('PEXPIRE', state, ARGV[3])", "'record', 'stale')", "'record', 'none')"}, []string{"a record stays stale until all is written"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.plant = f.plant
			caught(t, storetest.Failures(t, false, w.harness, f.want...), f.want)
		})
	}
}
