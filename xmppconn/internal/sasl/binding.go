package sasl

import (
	"crypto/tls"
	"slices"

	"github.com/xdg-go/scram"
)

// Binding is what ties a login to its TLS connection (RFC 5056); the zero value ties nothing.
type Binding = scram.ChannelBinding

// bindings are the types that we have, the better first. The third, tls-unique, does not exist in TLS
// 1.3, and is weak before it.
var bindings = []struct {
	name string
	of   func(*tls.ConnectionState) (scram.ChannelBinding, error)
}{
	{"tls-exporter", scram.NewTLSExporterBinding},               // RFC 9266
	{"tls-server-end-point", scram.NewTLSServerEndpointBinding}, // RFC 5929, 4
}

// ChannelBinding binds to a connection by the best of the types that the server has (XEP-0440). A
// server that names none may have tls-unique alone, so nothing is bound then.
func ChannelBinding(cs *tls.ConnectionState, types []string) Binding {
	for _, b := range bindings {
		if !slices.Contains(types, b.name) {
			continue
		}
		if got, err := b.of(cs); err == nil {
			return got
		}
	}
	return Binding{}
}
