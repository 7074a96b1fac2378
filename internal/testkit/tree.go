package testkit

import (
	"cmp"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// tree is a folder with the files of another Debian: Prosody, ejabberd and Redis are then run from
// there, by chroot, and "" runs those of this system. The tree sees this system's /tmp, /dev and /proc,
// so that every path of a test's directory is the same on both sides. Foreign clients, nginx and
// jabberd2 are always this system's.
//
// redisServer is the program that is started as Redis; one of Valkey takes the same arguments.
// `make matrix` sets both.
var (
	tree        = os.Getenv("TESTKIT_TREE")
	redisServer = cmp.Or(os.Getenv("TESTKIT_REDIS"), "redis-server")
)

// serverProgram is [program] for what runs in the tree; the path is the one inside.
func serverProgram(t TB, name, pkg string) string {
	t.Helper()
	if tree == "" {
		return program(t, name, pkg)
	}
	for _, dir := range []string{"/usr/bin", "/usr/sbin", "/bin", "/sbin"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(tree + path); err == nil {
			return path
		}
	}
	t.Fatalf("testkit: %s has no %s, of the package %s", tree, name, pkg)
	return ""
}

// serverFiles lists the files of the tree that match a pattern, by their paths inside.
func serverFiles(pattern string) []string {
	found, err := filepath.Glob(tree + pattern)
	if err != nil {
		return nil
	}
	for i, path := range found {
		found[i] = strings.TrimPrefix(path, tree)
	}
	return found
}

// serverAttributes run a program as a user, in the tree if there is one.
func serverAttributes(cred *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: cred, Chroot: tree}
}

// lookupUser finds the account of a service: its number in the tree is another than here.
func lookupUser(account string) (uid, gid string, err error) {
	if tree != "" {
		accounts, err := os.ReadFile(filepath.Join(tree, "etc/passwd"))
		if err != nil {
			return "", "", err
		}
		for line := range strings.Lines(string(accounts)) {
			if fields := strings.Split(line, ":"); fields[0] == account && len(fields) > 3 {
				return fields[2], fields[3], nil
			}
		}
	}
	u, err := user.Lookup(account)
	if err != nil {
		return "", "", err
	}
	return u.Uid, u.Gid, nil
}

// ProsodyHas reports whether the Prosody that tests run has a module, such as "sasl2".
func ProsodyHas(module string) bool {
	return slices.ContainsFunc([]string{"/usr/lib/prosody/modules/mod_" + module, "/usr/lib/prosody/modules/mod_" + module + ".lua"},
		func(path string) bool { return len(serverFiles(path)) > 0 })
}

// EjabberdAtLeast reports whether the ejabberd that tests run is of a version such as "24.02", or later.
func EjabberdAtLeast(version string) bool {
	for _, path := range serverFiles("/usr/lib/*-linux-gnu/ejabberd-*") {
		if _, have, _ := strings.Cut(filepath.Base(path), "-"); have >= version {
			return true
		}
	}
	return false
}

// ForgetsRetracted reports whether the server takes a message out of its archives that somebody has
// retracted, whoever that was: ejabberd 24 does.
func (s *Server) ForgetsRetracted() bool { return s.Name == "ejabberd" && EjabberdAtLeast("24") }

// ProsodyAtLeast13 reports whether the Prosody that tests run is one of the versions after 0.12.
func ProsodyAtLeast13() bool {
	version, err := os.ReadFile(tree + "/usr/lib/prosody/prosody.version")
	return err == nil && !strings.HasPrefix(string(version), "0.")
}
