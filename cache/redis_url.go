package cache

import (
	"crypto/tls"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/perch-im/perch"
)

const urlForms = "want redis://[user:password@]host:6379/0, rediss://... (TLS), unix:///path/redis.sock?db=0, " +
	"redis+sentinel://[user:password@]host:26379,host2:26379/master?db=0, or redis+cluster://[user:password@]host:6379,host2:6379 " +
	"(rediss+sentinel, rediss+cluster: with TLS)"

// dial makes a client from one of the URL forms. It does no I/O. Errors never repeat the
// URL: it may hold a password.
func dial(raw string, conf *tls.Config, timeout time.Duration) (redis.UniversalClient, error) {
	o, cluster, err := parseURL(raw)
	if err != nil {
		return nil, err
	}
	if o.TLSConfig != nil && conf != nil {
		o.TLSConfig = conf
	}
	// The retries are ours: they know what may be repeated and for how long.
	o.MaxRetries, o.DialerRetries = -1, 1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = 2*timeout, timeout, timeout
	o.PoolTimeout = timeout
	o.ContextTimeoutEnabled = true
	o.DisableIdentity = true
	o.Protocol = 2
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	switch {
	case cluster:
		return redis.NewClusterClient(o.Cluster()), nil
	case o.MasterName != "":
		return redis.NewFailoverClient(o.Failover()), nil
	}
	return redis.NewClient(o.Simple()), nil
}

// settings are the query parameters that mean something here. All else is refused by
// name: a time limit that is read and then ignored would mislead the operator, and
// skip_verify would give the contents to any server that answers.
var settings = []string{"db", "client_name", "pool_size", "min_idle_conns", "max_idle_conns",
	"conn_max_idle_time", "conn_max_lifetime", "master_name", "sentinel_username", "sentinel_password"}

// parseURL reads the forms that go-redis has none for by splitting the hosts off and
// reading the rest as the form with one host.
func parseURL(raw string) (o *redis.UniversalOptions, cluster bool, err error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return nil, false, badURL("")
	}
	user, hosts, path, query := splitURL(rest)
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, false, badURL("the query cannot be read")
	}
	for name := range q {
		if !slices.Contains(settings, name) {
			return nil, false, badURL("unknown parameter " + strconv.Quote(name))
		}
	}
	secure, kind, _ := strings.Cut(strings.Replace(scheme, "-", "+", 1), "+")
	switch kind {
	case "":
		one, err := parseOne(raw)
		if err != nil {
			return nil, false, err
		}
		return universal(one, []string{one.Addr}), false, nil
	case "sentinel", "cluster":
	default:
		return nil, false, badURL("unknown scheme")
	}
	port := "6379"
	var sentinelUser, sentinelPassword, master string
	if kind == "sentinel" {
		port = "26379"
		if master = q.Get("master_name"); master == "" { // with it the path is the database
			master, path = path, q.Get("db")
			q.Del("db")
		}
		sentinelUser, sentinelPassword = q.Get("sentinel_username"), q.Get("sentinel_password")
		for _, own := range []string{"master_name", "sentinel_username", "sentinel_password"} {
			q.Del(own)
		}
		if master == "" {
			return nil, false, badURL("the name of the master is missing")
		}
	}
	var addrs []string
	for h := range strings.SplitSeq(hosts, ",") {
		one, err := parseOne(secure + "://" + user + withPort(h, port) + "/" + path + "?" + q.Encode())
		if err != nil {
			return nil, false, err
		}
		addrs = append(addrs, one.Addr)
		o = universal(one, addrs)
	}
	o.MasterName, o.SentinelUsername, o.SentinelPassword = master, sentinelUser, sentinelPassword
	if kind == "cluster" && o.DB != 0 {
		return nil, false, badURL("a cluster has no databases but 0")
	}
	if o.TLSConfig != nil {
		o.TLSConfig.ServerName = "" // each host is asked for its own name
	}
	return o, kind == "cluster", nil
}

// splitURL cuts what follows "://". The user part keeps its "@".
func splitURL(s string) (user, hosts, path, query string) {
	s, query, _ = strings.Cut(s, "?")
	hosts, path, _ = strings.Cut(s, "/")
	if i := strings.LastIndexByte(hosts, '@'); i >= 0 {
		user, hosts = hosts[:i+1], hosts[i+1:]
	}
	return user, hosts, path, query
}

func withPort(host, port string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && i > strings.LastIndexByte(host, ']') {
		return host
	}
	return host + ":" + port
}

// parseOne reads a URL with one host. The errors of go-redis quote what they cannot read,
// and that may be half a password: a "/" in one ends the host. So what can be said about a
// URL without quoting it is found here, before go-redis reads it.
func parseOne(raw string) (*redis.Options, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, badURL("")
	}
	if why := mistake(u); why != "" {
		return nil, badURL(why)
	}
	o, err := redis.ParseURL(raw)
	if err != nil {
		return nil, badURL("")
	}
	return o, nil
}

// mistake says what is wrong with the scheme, the path or the database, or "".
func mistake(u *url.URL) string {
	databases := []string{u.Query().Get("db")}
	switch u.Scheme {
	case "redis", "rediss":
		path := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
		if len(path) > 1 {
			return "invalid URL path"
		}
		databases = append(databases, path...)
	case "unix":
		if strings.TrimSpace(u.Path) == "" {
			return "empty unix socket path"
		}
	default:
		return "invalid URL scheme"
	}
	for _, db := range databases {
		if _, err := strconv.Atoi(db); db != "" && err != nil {
			return "invalid database number"
		}
	}
	return ""
}

func badURL(why string) error {
	if why != "" {
		why += "; "
	}
	return perch.Invalid("redis-url", "%s%s", why, urlForms)
}

// universal carries over what a URL can say about a server; the rest is set by dial.
func universal(o *redis.Options, addrs []string) *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs: addrs, DB: o.DB, Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig,
		ClientName: o.ClientName, PoolSize: o.PoolSize, MinIdleConns: o.MinIdleConns,
		MaxIdleConns: o.MaxIdleConns, ConnMaxIdleTime: o.ConnMaxIdleTime, ConnMaxLifetime: o.ConnMaxLifetime,
	}
}
