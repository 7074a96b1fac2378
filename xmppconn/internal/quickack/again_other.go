//go:build !linux

package quickack

import "net"

// Again does nothing: this system has no way to ask for it.
func Again(net.Conn) {}
