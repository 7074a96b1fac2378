//go:build !go1.26 || go1.27 || perch_plain_tls

package xmppconn

import "net"

// trimsTLS: releases of Go whose tls.Conn has not been looked at keep its buffers. Idle
// connections then cost more, and nothing else changes. The tag perch_plain_tls builds this
// file on every release, for make vet and make unit.
const trimsTLS = false

func trimTLS(net.Conn) {}
