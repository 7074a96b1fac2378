package app_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

// TestSecretsStayHere signs in with a password and with a token, in good and bad ways, and
// looks for them in everything that leaves the process but the stream to the server.
func TestSecretsStayHere(t *testing.T) {
	for name, keys := range map[string][][]byte{"no key": nil, "sealed": sealKeys(7)} {
		t.Run(name, func(t *testing.T) {
			l := loginNamed("prosody X-MESSENGER-OAUTH2")
			k := newRedisWorld(t, l)
			k.redis = testkit.Redis(t, testkit.RedisOptions{AppendOnly: true})
			k.keys = k.redis.Client(t)
			var log lockedBuffer
			k.o.RedisURL, k.o.SealKeys = k.redis.URL(), keys
			k.o.Logger = canary.Logger(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			k.start(t)
			said := &said{api: k.api}
			secrets := said.everything(t, k, l)
			said.admin(t, k.admin)
			k.end(t)
			k.start(t) // once more from what is kept
			said.call(t, http.MethodGet, "/v1/presence", nil)
			k.end(t)

			for place, text := range map[string][]byte{
				"Redis": k.dump(t), "the append-only file": k.written(t),
				"the log": []byte(log.String()), "an answer": said.b.Bytes(),
			} {
				if control := map[bool]string{true: "request_id", false: k.bob.JID}[place == "the log"]; !bytes.Contains(text, []byte(control)) {
					t.Errorf("%s: got no %s in it, want one: this test looks in the wrong place", place, control)
				}
				for what, secret := range secrets {
					for _, form := range disguises(secret) {
						if bytes.Contains(text, []byte(form)) {
							t.Errorf("%s: got the %s as %q, want none", place, what, form)
						}
					}
				}
			}
		})
	}
}

// said collects what the gateway answers.
type said struct {
	api *testkit.Gateway
	b   bytes.Buffer
}

func (s *said) call(t *testing.T, method, path string, body any) testkit.Answer {
	t.Helper()
	a, err := s.api.Do(t.Context(), method, path, body)
	if err != nil {
		t.Fatalf("api.Do: got error %v, want none", err)
	}
	for name, values := range a.Header {
		s.b.WriteString(name + ": " + strings.Join(values, ", ") + "\n")
	}
	s.b.Write(append(a.Body, '\n'))
	return a
}

// everything uses each secret as it is meant to be, and where it must be refused. The
// Perch token is looked for everywhere but in the answer that it was minted for.
func (s *said) everything(t *testing.T, k *redisWorld, l login) map[string]string {
	t.Helper()
	token, wrong := k.server.IssueToken(t, k.alice.JID), "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jv"
	password := "wrong-password-of-" + k.bob.JID
	s.api.Token = token
	s.call(t, http.MethodGet, "/v1/buddies", nil)
	s.call(t, http.MethodPost, "/v1/buddies", map[string]any{"jid": k.bob.JID})
	s.call(t, http.MethodPost, "/v1/messages", map[string]string{"to": k.bob.JID, "body": "hello"})
	s.call(t, http.MethodPut, "/v1/session/credentials", map[string]string{"token": wrong, "password": password})
	s.call(t, http.MethodPost, "/v1/events/tickets", nil)
	live(t, s.api, "").Close()

	s.api.Token = wrong
	s.call(t, http.MethodGet, "/v1/buddies", nil)
	s.api.Token = "perch_" + wrong
	s.call(t, http.MethodGet, "/v1/buddies", nil)
	s.api.Token = ""
	s.call(t, http.MethodPost, "/v1/session", map[string]string{"jid": k.bob.JID, "password": password})
	s.call(t, http.MethodPost, "/v1/session", map[string]string{"jid": "nonsense@@", "password": password})
	s.call(t, http.MethodPost, "/v1/session", map[string]any{"jid": k.bob.JID, "password": []string{password}})
	s.call(t, http.MethodPost, "/v1/session", map[string]string{"jid": k.bob.JID, "password": k.bob.Password, "upstream": "elsewhere"})
	k.proxy.Down()
	s.call(t, http.MethodPost, "/v1/session", map[string]string{"jid": k.bob.JID, "password": password})
	k.proxy.Up(t)

	bob := testkit.NewGateway(t, s.api.URL, "")
	minted := bob.Call(t, http.StatusCreated, http.MethodPost, "/v1/session",
		map[string]string{"jid": k.bob.JID, "password": k.bob.Password, "mechanism": "PLAIN"}).JSON(t).Str("token")
	s.api.Token = minted
	s.call(t, http.MethodGet, "/v1/session", nil)
	return map[string]string{
		"token": token, "wrong token": wrong, "password": k.bob.Password, "wrong password": password, "Perch token": minted,
		"secret": k.o.Secret, "PLAIN": "\x00" + strings.Split(k.bob.JID, "@")[0] + "\x00" + k.bob.Password,
	}
}

// admin reads what the operator's listener shows.
func (s *said) admin(t *testing.T, addr string) {
	t.Helper()
	for _, path := range []string{"/metrics", "/readyz", "/livez", "/version", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2"} {
		res, err := http.Get("http://" + addr + path)
		if err != nil {
			t.Fatalf("http.Get: got error %v, want none", err)
		}
		text, err := io.ReadAll(res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			t.Fatalf("errors.Join: got error %v, want none", err)
		}
		s.b.Write(text)
	}
	http.DefaultClient.CloseIdleConnections()
}

// disguises are the forms in which a secret would be as good, or as guessable, as itself.
func disguises(secret string) []string {
	forms := []string{secret, hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret))}
	md, s1, s2, s5 := md5.Sum([]byte(secret)), sha1.Sum([]byte(secret)), sha256.Sum256([]byte(secret)), sha512.Sum512([]byte(secret))
	for _, sum := range [][]byte{md[:], s1[:], s2[:], s5[:]} {
		forms = append(forms, string(sum), hex.EncodeToString(sum), base64.StdEncoding.EncodeToString(sum),
			base64.RawURLEncoding.EncodeToString(sum))
	}
	return forms
}

// dump is every key with its value, as Redis itself would write them to a file.
func (k *redisWorld) dump(t *testing.T) []byte {
	t.Helper()
	ctx := t.Context()
	if err := k.keys.ConfigSet(ctx, "rdbcompression", "no").Err(); err != nil {
		t.Fatalf("keys.ConfigSet: got error %v, want none", err)
	}
	keys, err := k.keys.Keys(ctx, "*").Result()
	if err != nil || len(keys) < 10 {
		t.Fatalf("keys %q: %v, want no error and at least 10", keys, err)
	}
	var all bytes.Buffer
	for _, key := range keys {
		value, err := k.keys.Dump(ctx, key).Result()
		if err != nil {
			t.Fatalf("keys.Dump: got error %v, want none", err)
		}
		all.WriteString(key + " " + value + "\n")
	}
	return all.Bytes()
}

// written is everything that was ever sent to Redis.
func (k *redisWorld) written(t *testing.T) (all []byte) {
	t.Helper()
	dir, err := k.keys.ConfigGet(t.Context(), "dir").Result()
	if err != nil {
		t.Fatalf("keys.ConfigGet: got error %v, want none", err)
	}
	err = filepath.WalkDir(filepath.Join(dir["dir"], "appendonlydir"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all = append(all, b...)
		return err
	})
	if err != nil {
		t.Fatalf("filepath.WalkDir: got error %v, want none", err)
	}
	return all
}

// TestRedisNeedsASecret refuses to start where the hashes in Redis would be without a key,
// and says how to make one. Nothing in the errors gives the Redis password away.
func TestRedisNeedsASecret(t *testing.T) {
	r := testkit.Redis(t, testkit.RedisOptions{Password: canary.Mark + "-redis-password"})
	for name, c := range map[string]struct {
		url, secret, want string
	}{
		"no secret":      {r.URL(), "", "openssl rand -hex 32"},
		"short secret":   {r.URL(), "short", "openssl rand -hex 32"},
		"wrong password": {strings.Replace(r.URL(), canary.Mark, "sparrow", 1), strings.Repeat("s", 32), "--redis-url"},
		"no server":      {"redis://:" + canary.Mark + "-redis-password@127.0.0.1:1/0", strings.Repeat("s", 32), "--redis-url"},
		"bad address":    {r.URL() + "?no_such=setting", strings.Repeat("s", 32), "--redis-url"},
	} {
		t.Run(name, func(t *testing.T) {
			var log lockedBuffer
			a, err := app.New(app.Options{
				Listen: "127.0.0.1:0", AdminListen: "off", RedisURL: c.url, Secret: c.secret,
				Logger: canary.Logger(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			})
			if err == nil {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				t.Fatalf("started: %v, want an error", a.Stop(ctx))
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want one that says %s", err, c.want)
			}
			if text := err.Error() + log.String(); strings.Contains(text, "redis-password") {
				t.Errorf("the password is in %s, want no %q in it", text, "redis-password")
			}
		})
	}
}
