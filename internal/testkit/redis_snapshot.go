package testkit

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"
)

// Snapshot copies what the server keeps on its disk, as a backup does. What it returns puts
// that back: call it between [RedisServer.Kill] and [RedisServer.Start].
func (r *RedisServer) Snapshot(t TB) (restore func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "perch-snapshot-")
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	r.save(t)
	copyData(t, dir, r.proc.dir)
	return func() {
		t.Helper()
		for _, name := range []string{"dump.rdb", "appendonlydir"} {
			if err := os.RemoveAll(filepath.Join(r.proc.dir, name)); err != nil {
				t.Fatalf("testkit: %v", err)
			}
		}
		copyData(t, r.proc.dir, dir)
		if r.proc.cred == nil {
			return
		}
		err := filepath.WalkDir(r.proc.dir, func(path string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Chown(path, int(r.proc.cred.Uid), int(r.proc.cred.Gid))
		})
		if err != nil {
			t.Fatalf("testkit: %v", err)
		}
	}
}

// save lets a server without an append-only file write everything to its disk.
func (r *RedisServer) save(t TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c := redis.NewClient(&redis.Options{Addr: r.Addr, Password: r.Password, PoolSize: 1})
	defer func() { _ = c.Close() }()
	if _, err := os.Stat(filepath.Join(r.proc.dir, "appendonlydir")); err == nil {
		return
	}
	if err := c.Save(ctx).Err(); err != nil {
		t.Fatalf("testkit: SAVE: %v", err)
	}
}

// copyData copies the data of a Redis between two directories; the output of the program and
// what it knows of a cluster are not data.
func copyData(t TB, to, from string) {
	t.Helper()
	for _, name := range []string{"dump.rdb", "appendonlydir"} {
		path := filepath.Join(from, name)
		info, err := os.Stat(path)
		switch {
		case os.IsNotExist(err):
			continue
		case err == nil && info.IsDir():
			err = os.CopyFS(filepath.Join(to, name), os.DirFS(path))
		case err == nil:
			var data []byte
			if data, err = os.ReadFile(path); err == nil {
				err = os.WriteFile(filepath.Join(to, name), data, 0o600)
			}
		}
		if err != nil {
			t.Fatalf("testkit: %s: %v", name, err)
		}
	}
}
