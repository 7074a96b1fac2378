package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

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

// redisMemory is what Redis has in use, in bytes.
func redisMemory(ctx context.Context, c *redis.Client) (float64, error) {
	info, err := c.InfoMap(ctx, "memory").Result()
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(info["Memory"]["used_memory"], 64)
}

// used asks Redis and the gateway's metrics. Commits come as EVALSHA; everything else that
// Redis counts under a command was run by a script, but for the questions asked here.
func used(ctx context.Context, c *redis.Client, perch *gateway) (u usage, err error) {
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
	s, err := perch.metrics(ctx)
	if err != nil {
		return u, err
	}
	u.trips, err = s.get(`perch_redis_duration_seconds_count{op="commit",result="ok"}`)
	return u, err
}

// awaitIdle waits until nothing has been committed for a while, and returns what was used. A node
// renews its lease in any case: a command a second.
func awaitIdle(ctx context.Context, c *redis.Client, perch *gateway) (usage, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	last := usage{trips: -1}
	for {
		u, err := used(ctx, c, perch)
		if err != nil || u.trips == last.trips {
			return u, err
		}
		last = u
		if err := sleep(ctx, time.Second); err != nil {
			return u, fmt.Errorf("the gateway does not stop to write: %w", err)
		}
	}
}
