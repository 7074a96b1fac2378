package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch/internal/testkit"
)

// withRedis runs f with a redis-server of its own on a free port.
func withRedis(f func(url string, c *redis.Client) error) error {
	return withTestkit(func(b *bencher) error {
		server := testkit.Redis(b, testkit.RedisOptions{})
		return f(server.URL(), server.Client(b))
	})
}

// usage is what a store has used so far.
type usage struct {
	memory   float64 // bytes of Redis
	commands float64 // that Redis was sent
	inner    float64 // that its scripts ran
	trips    float64 // round trips of commits: pipelines
}

func (u usage) minus(v usage) usage {
	return usage{u.memory - v.memory, u.commands - v.commands, u.inner - v.inner, u.trips - v.trips}
}

// used asks Redis and the gateway's metrics. Commits come as EVALSHA; everything else that
// Redis counts under a command was run by a script, but for the questions asked here.
func used(ctx context.Context, c *redis.Client, admin string) (u usage, err error) {
	info, err := c.InfoMap(ctx, "memory", "commandstats").Result()
	if err != nil {
		return u, err
	}
	if u.memory, err = strconv.ParseFloat(info["Memory"]["used_memory"], 64); err != nil {
		return u, err
	}
	for name, stats := range info["Commandstats"] {
		var calls float64
		if _, err := fmt.Sscanf(stats, "calls=%f,", &calls); err != nil {
			return u, fmt.Errorf("%s: %w", name, err)
		}
		switch name {
		case "cmdstat_evalsha":
			u.commands = calls
		case "cmdstat_info", "cmdstat_ping", "cmdstat_hello":
		default:
			u.inner += calls
		}
	}
	u.trips, err = metric(ctx, admin, `perch_redis_duration_seconds_count{op="commit",result="ok"}`)
	return u, err
}

// metric reads one sample of /metrics.
func metric(ctx context.Context, admin, name string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	for sc := bufio.NewScanner(resp.Body); sc.Scan(); {
		if text, ok := strings.CutPrefix(sc.Text(), name+" "); ok {
			return strconv.ParseFloat(text, 64)
		}
	}
	return 0, fmt.Errorf("/metrics has no %s", name)
}

// awaitIdle waits until nothing has been written for a while, and returns what was used.
func awaitIdle(ctx context.Context, c *redis.Client, admin string) (usage, error) {
	last := usage{commands: -1}
	for {
		u, err := used(ctx, c, admin)
		if err != nil || u.commands == last.commands {
			return u, err
		}
		last = u
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return u, ctx.Err()
		}
	}
}
