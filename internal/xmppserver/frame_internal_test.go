package xmppserver

import "testing"

// A WebSocket has no stream header to declare namespaces: RFC 7395, 3.3.3.
func TestFrame(t *testing.T) {
	for in, want := range map[string]string{
		"<iq type='result'/>":                 "<iq xmlns='jabber:client' type='result'/>",
		"<message><body>a</body></message>":   "<message xmlns='jabber:client'><body>a</body></message>",
		"<presence/>":                         "<presence xmlns='jabber:client'/>",
		"<stream:features/>":                  "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>",
		"<success xmlns='urn:x'/>":            "<success xmlns='urn:x'/>",
		"<open xmlns='urn:x' version='1.0'/>": "<open xmlns='urn:x' version='1.0'/>",
		"</stream:stream>":                    "</stream:stream>",
	} {
		if got := string(frame([]byte(in))); got != want {
			t.Errorf("frame(%s)\n got %s\nwant %s", in, got, want)
		}
	}
}
