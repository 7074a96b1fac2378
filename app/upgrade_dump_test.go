package app_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// dumpHead is followed by the time at which a file was written, in ms.
const dumpHead = "# at "

// dumpRedis writes everything in a Redis as the commands that make it.
func dumpRedis(t *testing.T, c redis.UniversalClient, commit string) string {
	t.Helper()
	ctx := t.Context()
	keys, err := c.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatalf("KEYS: got error %v, want none", err)
	}
	slices.Sort(keys)
	var b strings.Builder
	fmt.Fprintf(&b, "# What the program of %s has kept: made by make upgrade, read by TestUpgradeFromFixture.\n", commit)
	fmt.Fprintf(&b, "%s%d\n", dumpHead, time.Now().UnixMilli())
	line := func(words ...string) {
		b.WriteString(words[0])
		for _, w := range words[1:] {
			b.WriteString(" " + strconv.QuoteToASCII(w))
		}
		b.WriteString("\n")
	}
	for _, key := range keys {
		ttl := c.PTTL(ctx, key).Val()
		switch kind := c.Type(ctx, key).Val(); kind {
		case "string":
			line("SET", key, c.Get(ctx, key).Val())
		case "hash":
			rows := c.HGetAll(ctx, key).Val()
			for _, field := range slices.Sorted(maps.Keys(rows)) {
				line("HSET", key, field, rows[field])
			}
		case "list":
			for _, row := range c.LRange(ctx, key, 0, -1).Val() {
				line("RPUSH", key, row)
			}
		case "set":
			for _, row := range c.SMembers(ctx, key).Val() {
				line("SADD", key, row)
			}
		case "zset":
			for _, z := range c.ZRangeWithScores(ctx, key, 0, -1).Val() {
				line("ZADD", key, strconv.FormatFloat(z.Score, 'f', -1, 64), z.Member.(string))
			}
		case "stream":
			for _, e := range c.XRange(ctx, key, "-", "+").Val() {
				words := []string{"XADD", key, e.ID}
				for _, field := range []string{"t", "e", "y", "w"} {
					words = append(words, field, e.Values[field].(string))
				}
				line(words...)
			}
		default:
			t.Fatalf("%s: got a %s, want a kind that this test knows", key, kind)
		}
		if ttl > 0 {
			line("PEXPIRE", key, strconv.FormatInt(ttl.Milliseconds(), 10))
		}
	}
	return b.String()
}

// loadRedis runs the commands of a dump, as if it had been written a moment ago, and by this Redis: an
// upgrade does not restart that.
func loadRedis(t *testing.T, c redis.UniversalClient, dump string) {
	t.Helper()
	ctx := t.Context()
	later := int64(0)
	shift := func(text string) string {
		number, rest, _ := strings.Cut(text, " ")
		if ms, err := strconv.ParseInt(number, 10, 64); err == nil && ms > 1_600_000_000_000 {
			return strings.TrimSpace(strconv.FormatInt(ms+later, 10) + " " + rest)
		}
		return text
	}
	for text := range strings.Lines(dump) {
		if at, ok := strings.CutPrefix(text, dumpHead); ok {
			written, err := strconv.ParseInt(strings.TrimSpace(at), 10, 64)
			if err != nil {
				t.Fatalf("%s: got error %v, want a time", text, err)
			}
			later = time.Now().UnixMilli() - written
		}
		words := wordsOf(t, text)
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "RPUSH", "ZADD": // a row of the log begins with its time
			words[2] = shift(words[2])
		case "XADD":
			words[4] = shift(words[4])
		}
		args := make([]any, len(words))
		for i, w := range words {
			args[i] = w
		}
		if err := c.Do(ctx, args...).Err(); err != nil {
			t.Fatalf("%s %s: got error %v, want none", words[0], words[1], err)
		}
	}
	states, err := c.Keys(ctx, "perch:{*}:state").Result()
	if err != nil || len(states) != 1 {
		t.Fatalf("got the sessions %v, error %v, want one", states, err)
	}
	if err := c.HSet(ctx, states[0], "server", historyOf(ctx, c)).Err(); err != nil {
		t.Fatalf("HSET: got error %v, want none", err)
	}
}

// wordsOf takes a line of a dump apart; none is in a comment.
func wordsOf(t *testing.T, line string) (words []string) {
	t.Helper()
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "#") || line == "" {
		return nil
	}
	command, rest, _ := strings.Cut(line, " ")
	words = append(words, command)
	for rest != "" {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			t.Fatalf("%s: got error %v, want quoted words", line, err)
		}
		word, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatalf("%s: got error %v, want quoted words", line, err)
		}
		words, rest = append(words, word), strings.TrimPrefix(rest[len(quoted):], " ")
	}
	return words
}

// historyOf is how the cache names a server, and what it writes.
func historyOf(ctx context.Context, c redis.UniversalClient) string {
	info, id := c.Info(ctx, "server").Val()+c.Info(ctx, "replication").Val(), ""
	for _, name := range []string{"run_id:", "master_replid:"} {
		_, rest, _ := strings.Cut(info, "\n"+name)
		id += rest[:min(16, len(rest))]
	}
	return id
}
