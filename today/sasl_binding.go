package today

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/xdg-go/scram"

	"github.com/perch-im/perch/internal/xmppserver"
)

const nsBinding = "urn:xmpp:sasl-cb:0"

// bindingTypes are what a login can be bound to, the better first: RFC 9266, and RFC 5929, 4. The third
// type, tls-unique, does not exist in TLS 1.3.
var bindingTypes = []string{"tls-exporter", "tls-server-end-point"}

// channelBindings are those of a stream; none where TLS is not ours.
func channelBindings(c *xmppserver.Conn, leaf *x509.Certificate) map[string]scram.ChannelBinding {
	state, ok := c.TLS()
	if !ok {
		return nil
	}
	all := make(map[string]scram.ChannelBinding, len(bindingTypes))
	if b, err := scram.NewTLSExporterBinding(&state); err == nil {
		all[bindingTypes[0]] = b
	}
	// The library looks from the side of the client: the certificate of its peer is ours.
	own := tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}
	if b, err := scram.NewTLSServerEndpointBinding(&own); err == nil {
		all[bindingTypes[1]] = b
	}
	return all
}

// appendBindings names the types (XEP-0440).
func (st *stream) appendBindings(b []byte) []byte {
	if len(st.bindings) == 0 {
		return b
	}
	b = append(b, "<sasl-channel-binding xmlns='"+nsBinding+"'>"...)
	for _, name := range bindingTypes {
		if _, ok := st.bindings[name]; ok {
			b = append(xmppserver.AppendAttr(append(b, "<channel-binding"...), "type", name), "/>"...)
		}
	}
	return append(b, "</sasl-channel-binding>"...)
}
