package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/perch-im/perch/internal/canary"
)

// secretText is a secret that may be looked for: 32 characters, and the mark of tests.
const secretText = canary.Mark + "abcdefghijklmnopqrst"

var (
	keyText   = strings.Repeat("0a", 32)
	otherKey  = strings.Repeat("0b", 32)
	redisText = "redis://perch:" + canary.Mark + "-password@127.0.0.1:1/0"
)

// secretIn writes a file that its owner alone reads.
func secretIn(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	return path
}

// TestSecretsFromFiles: each way to name a file leads to the same values.
func TestSecretsFromFiles(t *testing.T) {
	files := t.TempDir()
	redis, secret, keys := secretIn(t, files, "a", redisText+"\n"), secretIn(t, files, "b", secretText+"\r\n"), secretIn(t, files, "c", keyText+"\n"+otherKey+"\n")
	credentials := t.TempDir()
	secretIn(t, credentials, "redis-url", redisText)
	secretIn(t, credentials, "secret", secretText+"\n")
	secretIn(t, credentials, "secret-key", keyText+"\n"+otherKey)
	secretIn(t, credentials, "tls-key.pem", "of no concern")
	config := secretIn(t, files, "perch.yaml", "redis-url-file: "+redis+"\nsecret-file: "+secret+"\nsecret-key-file: "+keys+"\n")
	for name, tt := range map[string]struct {
		env  map[string]string
		args []string
	}{
		"flags":                 {nil, []string{"--redis-url-file", redis, "--secret-file", secret, "--secret-key-file", keys}},
		"environment":           {map[string]string{"PERCH_REDIS_URL_FILE": redis, "PERCH_SECRET_FILE": secret, "PERCH_SECRET_KEY_FILE": keys}, nil},
		"file of --config":      {nil, []string{"--config", config}},
		"credentials":           {map[string]string{"CREDENTIALS_DIRECTORY": credentials}, nil},
		"empty variable beside": {map[string]string{"PERCH_SECRET": "", "PERCH_SECRET_KEY": "", "PERCH_REDIS_URL": "", "CREDENTIALS_DIRECTORY": credentials}, nil},
		"no such folder":        {map[string]string{"CREDENTIALS_DIRECTORY": files + "/gone"}, []string{"--config", config}},
		"check, flags":          {nil, []string{"check", "--redis-url-file", redis, "--secret-file", secret, "--secret-key-file", keys}},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range tt.env {
				t.Setenv(variable, value)
			}
			var c commandLine
			parser, err := newParser(&c, &bytes.Buffer{}, &bytes.Buffer{})
			if err != nil {
				t.Fatalf("newParser: got error %v, want none", err)
			}
			if _, err := parser.Parse(tt.args); err != nil {
				t.Fatalf("Parse: got error %v, want none", err)
			}
			settings := &c.Serve.gatewaySettings
			if strings.HasPrefix(name, "check") {
				settings = &c.Check.gatewaySettings
			}
			o, err := settings.options(nil)
			if err != nil {
				t.Fatalf("options: got error %v, want none", err)
			}
			if o.RedisURL != redisText || o.Secret != secretText || len(o.SealKeys) != 2 || o.SealKeys[0][0] != 0x0a || o.SealKeys[1][0] != 0x0b {
				t.Errorf("got %q, %q and keys %x, want %q, %q and two keys", o.RedisURL, o.Secret, o.SealKeys, redisText, secretText)
			}
			if found := settings.exposed(); len(found) != 0 {
				t.Errorf("got %v, want no warning of files that their owner alone reads", found)
			}
		})
	}
}

// TestSecretFilesThatAreRefused: --check-config and the start name the setting and what to do, and
// never what is in the file.
func TestSecretFilesThatAreRefused(t *testing.T) {
	dir, credentials, misnamed := t.TempDir(), t.TempDir(), t.TempDir()
	good := secretIn(t, dir, "good", secretText+"\n")
	secretIn(t, credentials, "secret", secretText)
	secretIn(t, misnamed, "PERCH_SECRET_KEY", keyText)
	config := secretIn(t, dir, "perch.yaml", "secret: "+secretText+"\n")
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatalf("syscall.Mkfifo: got error %v, want none", err)
	}
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatalf("os.Symlink: got error %v, want none", err)
	}
	for name, tt := range map[string]struct {
		env  map[string]string
		args []string
		want []string
	}{
		"missing":             {map[string]string{"PERCH_SECRET_FILE": dir + "/gone"}, nil, []string{"--secret from PERCH_SECRET_FILE (" + dir + "/gone): no such file", "create it, or correct the path"}},
		"unreadable":          {nil, []string{"--secret-file", loop}, []string{"--secret from --secret-file (" + loop + "): ", "that the user whom Perch runs as can read"}},
		"a folder":            {nil, []string{"--secret-key-file", dir}, []string{"--secret-key from --secret-key-file", "is a directory"}},
		"empty":               {nil, []string{"--redis-url-file", secretIn(t, dir, "empty", "\n")}, []string{"--redis-url from --redis-url-file", "is empty; write into it the address, such as redis://"}},
		"empty key":           {nil, []string{"--secret-key-file", "/dev/null"}, []string{"--secret-key from", "is empty", "openssl rand -hex 32"}},
		"nobody writes to it": {nil, []string{"--secret-file", pipe}, []string{"is empty"}},
		"too long":            {nil, []string{"--secret-file", secretIn(t, dir, "long", strings.Repeat(canary.Mark, 400))}, []string{"has more than 4096 bytes"}},
		"without an end":      {nil, []string{"--secret-file", "/dev/zero"}, []string{"has more than 4096 bytes"}},
		"two lines":           {nil, []string{"--secret-file", secretIn(t, dir, "two", secretText+"\n"+secretText+"\n")}, []string{"is not one line of text"}},
		"no text":             {nil, []string{"--secret-file", secretIn(t, dir, "raw", secretText+"\xff")}, []string{"is not one line of text"}},
		"too short":           {nil, []string{"--secret-file", secretIn(t, dir, "short", canary.Mark)}, []string{"--secret must have at least 32 characters"}},
		"no key":              {nil, []string{"--secret-key-file", secretIn(t, dir, "nokey", keyText+"\n"+secretText)}, []string{"--secret-key 2 must be 32 bytes in hex"}},
		"the secret itself":   {map[string]string{"PERCH_SECRET_FILE": secretText}, nil, []string{"--secret from PERCH_SECRET_FILE: no such file"}},
		"flag and variable":   {map[string]string{"PERCH_SECRET_FILE": good}, []string{"--secret", secretText}, []string{"--secret has more than one source: --secret, PERCH_SECRET_FILE; leave one"}},
		"two variables":       {map[string]string{"PERCH_SECRET_KEY": keyText, "PERCH_SECRET_KEY_FILE": good}, nil, []string{"--secret-key has more than one source: PERCH_SECRET_KEY, PERCH_SECRET_KEY_FILE;"}},
		"config and flag":     {nil, []string{"--config", config, "--secret-file", good}, []string{"secret in the file of --config, --secret-file;"}},
		"file and credential": {map[string]string{"PERCH_SECRET_FILE": good, "CREDENTIALS_DIRECTORY": credentials}, nil, []string{"PERCH_SECRET_FILE, the credential secret of systemd;"}},
		"all three":           {map[string]string{"PERCH_SECRET": secretText, "PERCH_SECRET_FILE": good, "CREDENTIALS_DIRECTORY": credentials}, nil, []string{"PERCH_SECRET, PERCH_SECRET_FILE, the credential secret of systemd;"}},
		"misnamed credential": {map[string]string{"CREDENTIALS_DIRECTORY": misnamed}, nil, []string{`the credential "PERCH_SECRET_KEY" of systemd is no setting, did you mean secret-key?`}},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range tt.env {
				t.Setenv(variable, value)
			}
			for _, command := range [][]string{{"serve", "--check-config"}, {"serve"}} {
				var out bytes.Buffer
				ctx, cancel := context.WithCancel(t.Context())
				cancel() // a serve that is not refused ends at once
				err := run(ctx, append(command, tt.args...), &out, &out)
				if err == nil {
					t.Fatalf("%v: got no error, want one with %q", command, tt.want)
				}
				for _, want := range tt.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%v: got error %v, want %q in it", command, err, want)
					}
				}
				if text := err.Error() + out.String(); strings.Contains(text, canary.Mark) || strings.Contains(text, keyText) {
					t.Errorf("%v: got a secret in %s, want none", command, text)
				}
			}
		})
	}
}

// TestSecretsAreNotInHelp: nor are files read for it.
func TestSecretsAreNotInHelp(t *testing.T) {
	t.Setenv("PERCH_SECRET", secretText)
	t.Setenv("PERCH_SECRET_KEY_FILE", "/does/not/exist")
	t.Setenv("PERCH_REDIS_URL", redisText)
	for _, args := range [][]string{{"--help"}, {"check", "--help"}} {
		var out bytes.Buffer
		if err := run(context.Background(), args, &out, &out); err != nil {
			t.Errorf("%v: got error %v, want none", args, err)
		}
		for _, want := range []string{"--secret-file", "PERCH_SECRET_FILE", "PERCH_SECRET_KEY_FILE", "PERCH_REDIS_URL_FILE"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%v: got %s, want %s in it", args, out.String(), want)
			}
		}
		if strings.Contains(out.String(), canary.Mark) {
			t.Errorf("%v: got a secret in %s, want none", args, out.String())
		}
	}
}

// TestExposedSecretFile: a file that every user can read is a warning, of the start, of perch check
// and of --check-config.
func TestExposedSecretFile(t *testing.T) {
	path := secretIn(t, t.TempDir(), "secret", secretText)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatalf("os.Chmod: got error %v, want none", err)
	}
	var out bytes.Buffer
	if err := run(context.Background(), []string{"--check-config", "--secret-file", path}, &out, &out); err != nil {
		t.Errorf("--check-config: got error %v, want none", err)
	}
	if want := "perch: warning: --secret: " + path + ": every user can read this file; chmod 0600"; !strings.Contains(out.String(), want) {
		t.Errorf("--check-config: got %s, want %q in it", out.String(), want)
	}
	out.Reset()
	if err := run(context.Background(), []string{"check", "--json", "--secret-file", path}, &out, &out); err != nil {
		t.Errorf("check: got error %v, want none", err)
	}
	var report checkReport
	if err := json.Unmarshal(out.Bytes(), &report); err != nil || !report.OK {
		t.Fatalf("check: got error %v of %s, want none, and ok", err, out.String())
	}
	if last := report.Checks[len(report.Checks)-1]; last.Name != "secret" || last.Result != "warning" || !strings.Contains(last.Detail, path) {
		t.Errorf("check: got %+v, want a warning of %s", last, path)
	}
	var log bytes.Buffer
	p := startProcess(t, "", &log, "--secret-file", path)
	p.stop(t)
	if text := log.String(); !strings.Contains(text, "every user can read the file of a secret") || !strings.Contains(text, path) || strings.Contains(text, canary.Mark) {
		t.Errorf("the log: got %s, want a warning of %s and no secret", text, path)
	}
}

// TestStartsWithCredentials is the program as systemd starts it: with a folder of credentials.
func TestStartsWithCredentials(t *testing.T) {
	dir := t.TempDir()
	secretIn(t, dir, "secret", secretText+"\n")
	secretIn(t, dir, "secret-key", keyText+"\n")
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	p := startProcess(t, "", canary.Output())
	if body := p.fetch(t, "/readyz"); !strings.Contains(body, "ok") {
		t.Errorf("/readyz: got %s, want %q in it", body, "ok")
	}
	p.stop(t)
}
