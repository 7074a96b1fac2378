package quickack

import (
	"net"
	"syscall"
)

// Again lets a connection acknowledge at once again, until it answers the next time: it is called
// after each write. On a connection that is not TCP, or is closed, it does nothing.
func Again(conn net.Conn) {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := c.SyscallConn(); err == nil {
		_ = raw.Control(set) // an error: the connection is closed, and the next read says so
	}
}

func set(fd uintptr) {
	_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
}
