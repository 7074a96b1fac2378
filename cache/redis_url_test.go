package cache_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
)

func TestParseURL(t *testing.T) {
	type want struct {
		addrs, user, password, master, sentinel string
		db                                      int
		tls, cluster                            bool
	}
	for url, w := range map[string]want{
		"redis://h":                      {addrs: "h:6379"},
		"redis://:pw@h:1/3":              {addrs: "h:1", password: "pw", db: 3},
		"redis://perch:p%40w@h:1":        {addrs: "h:1", user: "perch", password: "p@w"},
		"redis://[::1]:1":                {addrs: "[::1]:1"},
		"rediss://perch:pw@h?db=2":       {addrs: "h:6379", user: "perch", password: "pw", db: 2, tls: true},
		"unix:///run/redis.sock?db=1":    {addrs: "/run/redis.sock", db: 1},
		"unix://u:pw@/run/redis.sock":    {addrs: "/run/redis.sock", user: "u", password: "pw"},
		"redis+sentinel://a,b:2/primary": {addrs: "a:26379 b:2", master: "primary"},
		"rediss+sentinel://u:pw@a,[::1]/m?db=4&sentinel_username=su&sentinel_password=sp": {
			addrs: "a:26379 [::1]:26379", user: "u", password: "pw", master: "m", sentinel: "su:sp", db: 4, tls: true,
		},
		"redis-sentinel://a:1,b:2/5?master_name=m": {addrs: "a:1 b:2", master: "m", db: 5},
		"redis+cluster://u:p:w@a:1,b":              {addrs: "a:1 b:6379", user: "u", password: "p:w", cluster: true},
		"rediss+cluster://a":                       {addrs: "a:6379", tls: true, cluster: true},
	} {
		o, cluster, err := cache.ParseURL(url)
		if err != nil {
			t.Errorf("%s: got error %v, want none", url, err)
			continue
		}
		got := want{strings.Join(o.Addrs, " "), o.Username, o.Password, o.MasterName, "", o.DB, o.TLSConfig != nil, cluster}
		if o.SentinelUsername != "" {
			got.sentinel = o.SentinelUsername + ":" + o.SentinelPassword
		}
		if got != w {
			t.Errorf("%s:\n got %+v\nwant %+v", url, got, w)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for url, word := range map[string]string{
		"":                                     "want redis://",
		"localhost:6379":                       "want redis://",
		"http://hunter2@h":                     "scheme",
		"redis+magic://hunter2@h":              "unknown scheme",
		"redis://u:hunter2@h:port":             "want redis://",
		"redis://u:hunter2@h/x":                "database",
		"redis://u:hunter2@h?skip_verify=true": `unknown parameter "skip_verify"`,
		"redis://u:hunter2@h?read_timeout=1s":  `unknown parameter "read_timeout"`,
		"redis://u:hunter2%zz@h":               "want redis://",
		"redis://u:12/hunter2@h":               "database",
		"redis+sentinel://u:12/hunter2?db=x":   "database",
		"redis://h?pool_size=x":                "want redis://",
		"redis://h?db=%zz":                     "query",
		"unix://u:hunter2@":                    "socket path",
		"redis+sentinel://u:hunter2@a,b":       "master",
		"redis+cluster://u:hunter2@a/1":        "databases",
		"redis+cluster://u:hunter2@a:b:c":      "want redis://",
	} {
		_, _, err := cache.ParseURL(url)
		if perch.KindOf(err) != perch.KindValidation || !strings.Contains(err.Error(), word) {
			t.Errorf("%s gave %v, want a word on %s", url, err, word)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got the password in the error %v, want it left out", err)
		}
	}
}

// Whatever an operator pastes: no panic, and no password in the error.
func FuzzParseURL(f *testing.F) {
	for _, s := range []string{"redis://u:PASSWORD@h:1/2?db=3", "redis+sentinel://u:PASSWORD@a,b/m", "rediss+cluster://PASSWORD@[::1]:1,b", "unix://PASSWORD@/s", "redis://[PASSWORD"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, _, err := cache.ParseURL(s)
		switch {
		case err == nil && len(o.Addrs) == 0:
			t.Errorf("%q has no address, want one", s)
		case err != nil && strings.Contains(err.Error(), "PASSWORD") && strings.Contains(s, ":PASSWORD@"):
			t.Errorf("%q: got the password in the error %v, want it left out", s, err)
		}
	})
}
