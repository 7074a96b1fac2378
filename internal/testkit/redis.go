package testkit

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// RedisOptions of a Redis. The zero value keeps everything in memory only.
type RedisOptions struct {
	AppendOnly bool   // keep the data over a restart
	MaxMemory  string // such as "4mb"; with noeviction, as Perch asks for
	Password   string
}

// RedisServer is a running redis-server.
type RedisServer struct {
	Addr     string
	Password string
	proc     *process

	mu        sync.Mutex
	databases map[string]int // that are in use, by name; 0 is shared
}

// redisDatabases is how many databases a redis-server of the tests has, for tests that share one.
const redisDatabases = 256

// Redis starts one redis-server. It ends with the test.
func Redis(t TB, o RedisOptions) *RedisServer {
	t.Helper()
	args := []string{"--maxmemory-policy", "noeviction", "--databases", strconv.Itoa(redisDatabases)}
	if o.AppendOnly {
		args = append(args, "--appendonly", "yes", "--appendfsync", "always")
	}
	if o.MaxMemory != "" {
		args = append(args, "--maxmemory", o.MaxMemory)
	}
	if o.Password != "" {
		args = append(args, "--requirepass", o.Password)
	}
	return startRedis(t, "redis", o.Password, nil, args...)
}

// startRedis starts a redis-server, or with a file name a Sentinel on that configuration.
func startRedis(t TB, name, password string, config []byte, args ...string) *RedisServer {
	t.Helper()
	bin := serverProgram(t, redisServer, redisServer)
	dir, cred := newDir(t, name, "redis")
	r := &RedisServer{Password: password}
	r.proc = &process{name: name, dir: dir, cred: cred, root: tree, ready: r.answers}
	t.Cleanup(func() { r.proc.stop(syscall.SIGKILL) })
	var err error
	for range 3 {
		port := freePort(t)
		r.Addr = Loopback(port)
		argv := []string{bin}
		if config != nil {
			argv = append(argv, writeFile(t, dir, name+".conf", cred, config), "--sentinel")
		}
		argv = append(argv, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "")
		if config == nil {
			argv = append(argv, "--enable-debug-command", "local")
		}
		r.proc.argv = append(argv, args...)
		if err = r.proc.start(); err == nil {
			return r
		}
		r.proc.stop(syscall.SIGKILL)
		if !strings.Contains(r.proc.output(), "already in use") {
			break
		}
	}
	t.Fatalf("testkit: %v", err)
	return nil
}

// URL is what the gateway's settings take.
func (r *RedisServer) URL() string { return r.url(0) }

func (r *RedisServer) url(database int) string {
	at := r.Addr + "/" + strconv.Itoa(database)
	if r.Password != "" {
		return "redis://:" + r.Password + "@" + at
	}
	return "redis://" + at
}

// URLFor is the URL of a database that only those use who give the same name: gateways with
// different secrets cannot share one.
func (r *RedisServer) URLFor(t TB, name string) string {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	n, ok := r.databases[name]
	if !ok {
		if n = len(r.databases) + 1; n >= redisDatabases {
			t.Fatalf("testkit: no database is left of the %d of this redis-server", redisDatabases)
		}
		if r.databases == nil {
			r.databases = map[string]int{}
		}
		r.databases[name] = n
	}
	return r.url(n)
}

// Client is a connection of the test's own; it ends with the test.
func (r *RedisServer) Client(t TB) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: r.Addr, Password: r.Password})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// PID is the process id.
func (r *RedisServer) PID() int { return r.proc.pid }

// Kill ends the server with SIGKILL; Start runs it again on the same port.
func (r *RedisServer) Kill() { r.proc.stop(syscall.SIGKILL) }

// Start runs a server again that was killed.
func (r *RedisServer) Start(t TB) {
	t.Helper()
	if err := r.proc.start(); err != nil {
		t.Fatalf("testkit: %v", err)
	}
}

// Pause and Continue stop and wake the server while its connections stay open.
func (r *RedisServer) Pause() { r.proc.signal(syscall.SIGSTOP) }

// Continue ends [RedisServer.Pause].
func (r *RedisServer) Continue() { r.proc.signal(syscall.SIGCONT) }

func (r *RedisServer) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	c := redis.NewClient(&redis.Options{Addr: r.Addr, Password: r.Password, MaxRetries: -1, PoolSize: 1})
	defer func() { _ = c.Close() }()
	if err := c.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	info, err := c.Info(ctx, "server").Result()
	if err != nil {
		return fmt.Errorf("info: %w", err)
	}
	if !strings.Contains(info, "process_id:"+strconv.Itoa(r.proc.pid)+"\r\n") {
		return fmt.Errorf("another server answers on %s: address already in use", r.Addr)
	}
	return nil
}

// RedisSentinel is a master, two replicas and three Sentinels that watch them.
type RedisSentinel struct {
	Master    *RedisServer
	Replicas  []*RedisServer
	Sentinels []string // host:port
	Name      string   // of the master
}

// URL is what the gateway's settings take.
func (s *RedisSentinel) URL() string {
	return "redis-sentinel://" + strings.Join(s.Sentinels, ",") + "/0?master_name=" + s.Name
}

// Sentinel starts a Redis with two replicas and three Sentinels that fail over after two
// seconds. All end with the test.
func Sentinel(t TB) *RedisSentinel {
	t.Helper()
	s := &RedisSentinel{Name: "perch", Master: Redis(t, RedisOptions{})}
	host, port, _ := strings.Cut(s.Master.Addr, ":")
	for range 2 {
		s.Replicas = append(s.Replicas, startRedis(t, "replica", "", nil,
			"--replicaof", host+" "+port, "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"))
	}
	waitFor(t, "replicas of the Redis master", func(ctx context.Context) error {
		return s.infoHas(ctx, t, s.Master.Addr, "replication", "connected_slaves:2")
	})
	config := fmt.Sprintf("sentinel monitor %[1]s %[2]s %[3]s 2\nsentinel down-after-milliseconds %[1]s 2000\n"+
		"sentinel failover-timeout %[1]s 5000\nsentinel parallel-syncs %[1]s 1\n", s.Name, host, port)
	for range 3 {
		s.Sentinels = append(s.Sentinels, startRedis(t, "sentinel", "", []byte(config)).Addr)
	}
	for _, addr := range s.Sentinels {
		waitFor(t, "Sentinels that know each other", func(ctx context.Context) error {
			return s.infoHas(ctx, t, addr, "sentinel", "slaves=2,sentinels=3")
		})
	}
	return s
}

// FailedOver waits until every Sentinel names a new master, and it has taken office.
func (s *RedisSentinel) FailedOver(t TB) {
	t.Helper()
	for _, addr := range s.Sentinels {
		waitFor(t, "a failover", func(ctx context.Context) error {
			c := redis.NewSentinelClient(&redis.Options{Addr: addr, MaxRetries: -1, PoolSize: 1})
			defer func() { _ = c.Close() }()
			master, err := c.GetMasterAddrByName(ctx, s.Name).Result()
			if err != nil {
				return fmt.Errorf("the master of %s: %w", addr, err)
			}
			if named := net.JoinHostPort(master[0], master[1]); named != s.Master.Addr {
				return s.infoHas(ctx, t, named, "replication", "role:master")
			}
			return fmt.Errorf("%s still names %s", addr, s.Master.Addr)
		})
	}
}

func (s *RedisSentinel) infoHas(ctx context.Context, _ TB, addr, section, want string) error {
	c := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, PoolSize: 1})
	defer func() { _ = c.Close() }()
	info, err := c.Info(ctx, section).Result()
	if err != nil {
		return fmt.Errorf("info: %w", err)
	}
	if !strings.Contains(info, want) {
		return fmt.Errorf("no %s in %s", want, info)
	}
	return nil
}

// RedisCluster is three masters without replicas.
type RedisCluster struct{ Nodes []*RedisServer }

// URL is what the gateway's settings take.
func (c *RedisCluster) URL() string {
	addrs := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		addrs[i] = n.Addr
	}
	return "redis-cluster://" + strings.Join(addrs, ",")
}

// Cluster starts a Redis Cluster of three masters. All end with the test.
func Cluster(t TB) *RedisCluster {
	t.Helper()
	c := &RedisCluster{}
	for range 3 {
		c.Nodes = append(c.Nodes, startRedis(t, "cluster", "", nil, "--cluster-enabled", "yes",
			"--cluster-config-file", "nodes.conf", "--cluster-port", strconv.Itoa(freePort(t)),
			"--cluster-node-timeout", "2000", "--maxmemory-policy", "noeviction"))
	}
	argv := []string{program(t, "redis-cli", "redis-tools"), "--cluster", "create"}
	for _, n := range c.Nodes {
		argv = append(argv, n.Addr)
	}
	run(t, filepath.Dir(c.Nodes[0].proc.dir), append(argv, "--cluster-yes")...)
	c.Await(t)
	return c
}

// Await waits until every server says that the cluster takes writes: one that was started again
// does not at first.
func (c *RedisCluster) Await(t TB) {
	t.Helper()
	for _, n := range c.Nodes {
		waitFor(t, "a Redis Cluster", func(ctx context.Context) error { return n.clusterOK(ctx) })
	}
}

func (r *RedisServer) clusterOK(ctx context.Context) error {
	c := redis.NewClient(&redis.Options{Addr: r.Addr, MaxRetries: -1, PoolSize: 1})
	defer func() { _ = c.Close() }()
	info, err := c.ClusterInfo(ctx).Result()
	if err != nil {
		return fmt.Errorf("cluster info: %w", err)
	}
	if !strings.Contains(info, "cluster_state:ok") {
		return fmt.Errorf("cluster: %s", info)
	}
	return nil
}
