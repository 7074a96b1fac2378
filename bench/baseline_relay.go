package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
)

// relayRole is the least that can stand between an XMPP server and a reader: it signs in over
// TLS, takes one connection without TLS, and writes to it what it reads, as it comes. It
// understands nothing and keeps nothing. Arguments: address, domain, CA, token.
func relayRole(ctx context.Context, args []string) (err error) {
	if len(args) != 4 {
		return fmt.Errorf("relay: want address, domain, CA and token, got %d arguments", len(args))
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	server, err := dialRaw(ctx, serverReady{Addr: args[0], Domain: args[1], CA: []byte(args[2])})
	if err != nil {
		return err
	}
	if err := errors.Join(server.secure(ctx), server.signIn(args[3])); err != nil {
		return errors.Join(err, server.close())
	}
	if err := say(relayReady{Addr: l.Addr().String()}); err != nil {
		return err
	}
	reader, err := l.Accept()
	if err != nil {
		return errors.Join(err, server.close())
	}
	done := make(chan error, 1)
	go func() {
		_, err := io.CopyBuffer(struct{ io.Writer }{reader}, struct{ io.Reader }{server.conn}, make([]byte, 16<<10))
		done <- err // at the end, one of the two was closed
	}()
	err = untilClosed()
	err = errors.Join(err, reader.Close(), server.close())
	<-done
	return err
}

// relayReady is the first line of the relay role.
type relayReady struct{ Addr string }
