package testkit

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// NginxServer is a running nginx.
type NginxServer struct {
	Addr string // host:port that it listens on
	proc *process
}

// NginxOptions of an nginx.
type NginxOptions struct {
	Listen string // host:port; default a free port of 127.0.0.1
	// Config gives the whole configuration for the address. Where nginx keeps temporary files
	// is added to it.
	Config func(listen string) string
	Files  map[string][]byte // that the configuration names, such as certificates
}

// Nginx starts an nginx. It ends with the test.
func Nginx(t TB, o NginxOptions) *NginxServer {
	t.Helper()
	bin := program(t, "nginx", "nginx")
	dir, cred := newDir(t, "nginx", "www-data")
	s := &NginxServer{proc: &process{name: "nginx", dir: dir, cred: cred}}
	config, pidFile := filepath.Join(dir, "nginx.conf"), filepath.Join(dir, "nginx.pid")
	// One process, which ends with this one in any case; workers would stay.
	s.proc.argv = []string{bin, "-p", dir, "-c", config, "-e", "stderr", "-g", "daemon off; master_process off; pid " + pidFile + ";"}
	s.proc.ready = func(ctx context.Context) error { return s.answers(ctx, pidFile) }
	t.Cleanup(func() { s.proc.stop(syscall.SIGKILL) })
	for name, text := range o.Files {
		writeFile(t, dir, name, cred, text)
	}
	var err error
	for range 3 {
		if s.Addr = o.Listen; o.Listen == "" {
			s.Addr = Loopback(freePort(t))
		}
		writeFile(t, dir, "nginx.conf", cred, []byte(withFolders(o.Config(s.Addr), dir)))
		if err = s.proc.start(); err == nil {
			return s
		}
		s.proc.stop(syscall.SIGKILL)
		if o.Listen != "" || !strings.Contains(s.proc.output(), "Address already in use") {
			break
		}
	}
	t.Fatalf("testkit: %v", err)
	return nil
}

// withFolders keeps nginx out of the folders that the package has made for the system's.
func withFolders(config, dir string) string {
	var b strings.Builder
	b.WriteString("http {\n")
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "scgi", "uwsgi"} {
		fmt.Fprintf(&b, "    %s_temp_path %s/%s;\n", kind, dir, kind)
	}
	return strings.Replace(config, "http {\n", b.String(), 1)
}

// answers is true when this nginx has the address: it writes its pid when it has bound it.
func (s *NginxServer) answers(ctx context.Context, pidFile string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	pid, err := os.ReadFile(pidFile)
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(pid)) != strconv.Itoa(s.proc.pid) {
		return fmt.Errorf("%s has the pid %s of another nginx", pidFile, pid)
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return err
	}
	return c.Close()
}

// PID is the process id.
func (s *NginxServer) PID() int { return s.proc.pid }

// Log is what nginx has complained about so far.
func (s *NginxServer) Log() string { return s.proc.output() }

// Restart ends the server, cutting what goes through it, and starts it again.
func (s *NginxServer) Restart(t TB) {
	t.Helper()
	s.proc.stop(syscall.SIGTERM)
	if err := s.proc.start(); err != nil {
		t.Fatalf("testkit: %v", err)
	}
}
