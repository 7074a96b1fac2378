package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"
)

// notify tells the service manager that started the process, if one did and asked for it, what state
// it is in: sd_notify(3), which is one datagram. That it cannot be told changes nothing here, so it
// is a line in the log: systemd then takes the start for one that has failed, and says so.
func (*serveCommand) notify(log *slog.Logger, state string) {
	if err := sdNotify(os.Getenv("NOTIFY_SOCKET"), state); err != nil {
		log.Warn("service manager cannot be notified", "state", state, "error", err)
	}
}

// sdNotify sends state to a socket, whose name may begin with @ for one without a file. No name is
// no error: there is no service manager that asked.
func sdNotify(socket, state string) error {
	if socket == "" {
		return nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	defer c.Close()
	if err := c.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		return fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	if _, err := c.Write([]byte(state)); err != nil {
		return fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	return nil
}
