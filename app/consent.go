package app

import (
	"fmt"
	"net"

	"github.com/perch-im/perch/messenger"
)

// serveConsent serves the embedded service's consent page and token endpoint beside the
// gateway, on a free port of the loopback interface: an identity provider is another
// origin than the application, in the demo too.
func (a *App) serveConsent() (err error) {
	if a.messenger == nil {
		return nil
	}
	if a.consent, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("consent page: %w", err)
	}
	a.serve("consent page", a.consent, a.messenger.OAuthHandler(), nil)
	return nil
}

// ConsentURL is the page where a user of the embedded service lets the gateway's client
// sign in; the access token is in the address that it leads to. "" without the demo.
func (a *App) ConsentURL() string {
	if a.consent == nil {
		return ""
	}
	return messenger.ConsentURL(a.consent.Addr().String())
}
