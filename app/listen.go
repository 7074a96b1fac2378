package app

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// listenOn binds the address of a setting. The error says who can change it.
func listenOn(setting, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, ListenError(setting, address, err)
	}
	return l, nil
}

// ListenError is the error of binding the address of a setting, such as "listen", with what an
// operator does about it.
func ListenError(setting, address string, err error) error {
	_, port, splitErr := net.SplitHostPort(address)
	if splitErr != nil {
		return fmt.Errorf("--%s %q is not HOST:PORT, such as 127.0.0.1:8080: %w", setting, address, err)
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("--%s %s: another program listens on port %s, perhaps another Perch (to see which: ss -ltnp 'sport = :%s'); end it, or choose another port here: %w", setting, address, port, port, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("--%s %s: this user may not listen on port %s; choose one from 1024 on, or give the program CAP_NET_BIND_SERVICE: %w", setting, address, port, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("--%s %s is no address of this host; 0.0.0.0 means all that it has: %w", setting, address, err)
	}
	return fmt.Errorf("--%s %s: %w", setting, address, err)
}
