package cache_test

import (
	"os"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch/internal/testkit"
)

// aclOfTheDocs is the line of rules that docs/redis.md gives the gateway's user.
func aclOfTheDocs(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/redis.md")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	_, line, ok := strings.Cut(string(text), "\nACL SETUSER perch on >SECRET ")
	line, _, _ = strings.Cut(line, "\n")
	if !ok || strings.Contains(line, "+@all") {
		t.Fatalf("no ACL line in docs/redis.md: %q, want one and no %q in it", line, "+@all")
	}
	return line
}

// TestRedisACLOfTheDocsIsNarrow tries what an attacker who has the gateway's password would:
// the keys of others, and commands that show, end or take over the server.
func TestRedisACLOfTheDocsIsNarrow(t *testing.T) {
	s := testkit.Redis(t, testkit.RedisOptions{})
	admin := s.Client(t)
	user(t, admin, "perch", aclOfTheDocs(t))
	if err := admin.Set(t.Context(), "other:key", "theirs", 0).Err(); err != nil {
		t.Fatalf("admin.Set: got error %v, want none", err)
	}
	c := redis.NewClient(&redis.Options{Addr: s.Addr, Username: "perch", Password: "pw", DisableIdentity: true})
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Set(t.Context(), "perch:probe", "x", 0).Err(); err != nil {
		t.Fatalf("its own key: got error %v, want none", err)
	}
	for _, line := range []string{
		"CONFIG GET *", "CONFIG SET dir /tmp", "CONFIG REWRITE", "FLUSHALL", "FLUSHDB", "KEYS *", "SCAN 0", "RANDOMKEY",
		"DBSIZE", "DEBUG SLEEP 0", "SHUTDOWN NOSAVE", "SAVE", "BGSAVE", "BGREWRITEAOF", "REPLICAOF NO ONE", "SYNC",
		"MONITOR", "CLIENT LIST", "CLIENT KILL TYPE normal", "ACL LIST", "ACL SETUSER perch +@all", "MODULE LIST",
		"MODULE LOAD /tmp/x.so", "FUNCTION LIST", "SCRIPT FLUSH", "SCRIPT KILL", "SLOWLOG GET", "LATENCY RESET",
		"MIGRATE 127.0.0.1 1 perch:probe 0 10", "SWAPDB 0 1", "SUBSCRIBE news", "PUBLISH news x",
		"GET other:key", "SET other:key mine", "DEL other:key", "RENAME perch:probe other:key", "COPY other:key perch:probe",
		"EVAL return(redis.call('GET',KEYS[1])) 1 other:key", "EVAL return(redis.call('FLUSHALL')) 0",
		"EVAL return(redis.call('CONFIG','GET','*')) 0", "EVAL return(redis.call('GET','other:key')) 0",
	} {
		var args []any
		for word := range strings.FieldsSeq(line) {
			args = append(args, word)
		}
		err := c.Do(t.Context(), args...).Err()
		if !denied(err) {
			t.Errorf("%s: got %v, want a refusal", line, err)
		}
	}
	if got := admin.Get(t.Context(), "other:key").Val(); got != "theirs" {
		t.Errorf("the key of another is %q now, want %q", got, "theirs")
	}
}

// denied reports whether the server refuses a command to this user, or to scripts.
func denied(err error) bool {
	if err == nil {
		return false
	}
	for _, says := range []string{"NOPERM", "ACL failure", "can't run this command", "can't access at least one", "not allowed"} {
		if strings.Contains(err.Error(), says) {
			return true
		}
	}
	return false
}
