//go:build !go1.26 || go1.27 || perch_plain_tls

// Package tlsbuffer gives the read buffers of idle TLS connections back.
package tlsbuffer

import "net"

// Trims reports whether buffers are given back in this build. Releases of Go whose tls.Conn has not been looked at keep its buffers. Idle
// connections then cost more, and nothing else changes. The tag perch_plain_tls builds this
// file on every release, for make vet and make unit.
const Trims = false

// Trim changes nothing.
func Trim(net.Conn, int) {}
