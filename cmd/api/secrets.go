package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/perch-im/perch/app"
)

// credentialsDirectory is where systemd shows a service what its unit loads (LoadCredential=), each
// in a file under its name (systemd.exec(5)).
const credentialsDirectory = "CREDENTIALS_DIRECTORY"

// secretSettings are those that must not be seen. Each may stand in a file instead: one that the
// setting NAME-file names, or a credential of systemd with the setting's name. A file is in no list
// of processes and in no environment that a child inherits.
type secretSettings struct {
	RedisURL           string   `name:"redis-url" placeholder:"URL" help:"Keep presence, roster and event log in Redis 7 or newer: redis://, rediss://, unix://, redis+sentinel://, redis+cluster://. Not given: in memory, lost at exit."`
	RedisURLFile       string   `name:"redis-url-file" placeholder:"FILE" help:"File with the value of --redis-url, in its place."`
	Secret             string   `placeholder:"TEXT" help:"Key of all stored hashes, at least 32 characters; needed with Redis. Better given as PERCH_SECRET, or as a file, than as a flag."`
	SecretFile         string   `placeholder:"FILE" help:"File with the value of --secret, in its place."`
	SecretPrevious     string   `placeholder:"TEXT" help:"Another secret beside --secret that stored hashes may still be made with, while it is rotated: see docs/operations.md. Outside of a rotation leave it out."`
	SecretPreviousFile string   `placeholder:"FILE" help:"File with the value of --secret-previous, in its place."`
	SecretKey          []string `placeholder:"HEX" help:"32 bytes in hex that encrypt stored credentials, so that sessions sign in by themselves after a restart; the first seals, all open (rotation). Not given: credentials are never stored."`
	SecretKeyFile      string   `placeholder:"FILE" help:"File with the values of --secret-key, one on each line, in their place."`

	AdminToken     string `placeholder:"TEXT" help:"Token of the admin API and its page, at least 32 characters, the same on all nodes. Not given: they answer this machine alone, on a listener of loopback. Better given as PERCH_ADMIN_TOKEN, or as a file, than as a flag."`
	AdminTokenFile string `placeholder:"FILE" help:"File with the value of --admin-token, in its place."`

	PushVAPIDKey     string `name:"push-vapid-key" placeholder:"TEXT" help:"Private key that signs push messages (VAPID), in base64url or PEM, the same on all nodes; perch vapid-key makes one. Not given: made once, and kept in Redis, sealed, or in memory. With another key clients have to subscribe again."`
	PushVAPIDKeyFile string `name:"push-vapid-key-file" placeholder:"FILE" help:"File with the value of --push-vapid-key, in its place."`

	files []secretFile // that were read
}

// secretSetting is one of them.
type secretSetting struct {
	name  string
	given bool   // by itself: flag, environment or the file of --config
	file  string // NAME-file; "" is none
	lines bool   // a file may have several, one on each line
	hint  string // how to fill an empty file
	take  func(text string)
}

func (s *secretSettings) table() []secretSetting {
	random := "openssl rand -hex 32"
	return []secretSetting{
		{"redis-url", s.RedisURL != "", s.RedisURLFile, false, "the address, such as redis://perch:password@127.0.0.1:6379/0", func(text string) { s.RedisURL = text }},
		{"secret", s.Secret != "", s.SecretFile, false, "what this prints: " + random, func(text string) { s.Secret = text }},
		{"admin-token", s.AdminToken != "", s.AdminTokenFile, false, "what this prints: " + random, func(text string) { s.AdminToken = text }},
		{"push-vapid-key", s.PushVAPIDKey != "", s.PushVAPIDKeyFile, true, "what this prints: perch vapid-key", func(text string) { s.PushVAPIDKey = text }},
		{"secret-previous", s.SecretPrevious != "", s.SecretPreviousFile, false, "the secret that was in use before, or the one to come", func(text string) { s.SecretPrevious = text }},
		{"secret-key", strings.Join(s.SecretKey, "") != "", s.SecretKeyFile, true, "what this prints: " + random, func(text string) { s.SecretKey = strings.Fields(text) }},
	}
}

// AfterApply reads the files once all settings are known. kong calls it for the commands that have
// these settings, and not for --help.
func (s *secretSettings) AfterApply(k *kong.Context) error {
	if err := refuseMisnamedCredentials(s.table()); err != nil {
		return err
	}
	for _, setting := range s.table() {
		path, from, err := setting.source(k)
		if err != nil {
			return err
		}
		if path == "" {
			continue
		}
		text, exposed, err := readSecret(path, setting)
		if err != nil {
			return fmt.Errorf("--%s from %s: %w", setting.name, withPath(from, path), err)
		}
		setting.take(text)
		s.files = append(s.files, secretFile{setting.name, path, exposed})
	}
	return nil
}

// withPath adds where the file is. What is no whole path may be the secret itself, given by mistake.
func withPath(from, path string) string {
	if !filepath.IsAbs(path) {
		return from
	}
	return from + " (" + path + ")"
}

// source finds the file of a setting and what names it; path is "" when it stands in none. Two
// sources are refused: whichever went first, an operator who rotates the other one would change nothing.
func (x secretSetting) source(k *kong.Context) (path, from string, err error) {
	var sources []string
	if x.given {
		sources = append(sources, settingSource(k, x.name))
	}
	if x.file != "" {
		path, from = x.file, settingSource(k, x.name+"-file")
		sources = append(sources, from)
	}
	if credential := credentialPath(x.name); credential != "" {
		path, from = credential, "the credential "+x.name+" of systemd"
		sources = append(sources, from)
	}
	if len(sources) > 1 {
		return "", "", fmt.Errorf("--%s has more than one source: %s; leave one and remove the others", x.name, strings.Join(sources, ", "))
	}
	return path, from, nil
}

// settingSource names where a setting that was given comes from: what its precedence chose.
func settingSource(k *kong.Context, name string) string {
	for _, p := range k.Path {
		if p.Flag != nil && p.Flag.Name == name && !p.Resolved {
			return "--" + name
		}
	}
	variable := "PERCH_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	if os.Getenv(variable) != "" {
		return variable
	}
	return name + " in the file of --config"
}

// credentialPath is the file of a credential that systemd has loaded, or "". The variable may have
// come from the unit of a parent process: a folder that is not there, or not ours, has no credential.
func credentialPath(name string) string {
	dir := os.Getenv(credentialsDirectory)
	if dir == "" {
		return ""
	}
	path := filepath.Join(dir, name)
	if _, err := os.Lstat(path); err != nil { //nolint:gosec // systemd names the folder
		return ""
	}
	return path
}

// refuseMisnamedCredentials refuses a credential whose name is that of a setting but for its
// spelling, such as PERCH_SECRET_KEY: it would be without effect. Others are of no concern here; a
// unit may load its TLS key in this way and name it with --tls-key.
func refuseMisnamedCredentials(settings []secretSetting) error {
	plain := strings.NewReplacer("-", "", "_", "", ".", "")
	entries, _ := os.ReadDir(os.Getenv(credentialsDirectory)) // none of ours, if it cannot be listed
	for _, e := range entries {
		name := strings.TrimPrefix(plain.Replace(strings.ToLower(e.Name())), "perch")
		i := slices.IndexFunc(settings, func(x secretSetting) bool { return plain.Replace(x.name) == name })
		if i >= 0 && settings[i].name != e.Name() {
			return fmt.Errorf("the credential %q of systemd is no setting, did you mean %s?", e.Name(), settings[i].name)
		}
	}
	return nil
}

// exposed are the files that every user of the machine can read.
func (s *secretSettings) exposed() []app.Finding {
	var found []app.Finding
	for _, f := range s.files {
		if f.exposed {
			found = append(found, app.Finding{Name: f.setting, Result: app.FindingWarning, Detail: f.path + ": every user can read this file", Advice: "chmod 0600, or mode 0400 of the secret where a container has it mounted"})
		}
	}
	return found
}
