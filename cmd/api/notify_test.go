package main

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/canary"
)

// TestServiceManagerIsNotified: systemd is told when the listeners are open, and when the process
// has begun to stop: what Type=notify of the unit waits for.
func TestServiceManagerIsNotified(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatalf("ListenUnixgram: got error %v, want none", err)
	}
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", name)
	p := startProcess(t, "", canary.Output())
	if got := datagram(t, socket); got != "READY=1" {
		t.Errorf("at its start: got %q, want %q", got, "READY=1")
	}
	p.stop(t)
	if got := datagram(t, socket); got != "STOPPING=1" {
		t.Errorf("at its end: got %q, want %q", got, "STOPPING=1")
	}
}

func datagram(t *testing.T, socket *net.UnixConn) string {
	t.Helper()
	if err := socket.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatalf("SetReadDeadline: got error %v, want none", err)
	}
	b := make([]byte, 100)
	n, err := socket.Read(b)
	if err != nil {
		t.Fatalf("the notification: got error %v, want none", err)
	}
	return string(b[:n])
}

func TestNoServiceManager(t *testing.T) {
	if err := sdNotify("", "READY=1"); err != nil {
		t.Errorf("without NOTIFY_SOCKET: got error %v, want none", err)
	}
	if err := sdNotify(filepath.Join(t.TempDir(), "gone"), "READY=1"); err == nil {
		t.Error("a socket that is not there: got no error, want one")
	}
}
