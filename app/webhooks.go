package app

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/netip"
	"os"

	"github.com/perch-im/perch/internal/webhook"
	"github.com/perch-im/perch/sessions"
)

// WebhookOptions are about servers of clients that events are sent to. By the zero value they are those with
// public addresses.
type WebhookOptions struct {
	// NoWebhooks lets clients have none.
	NoWebhooks bool
	// WebhookAllow are networks that are not public in which receivers may be, also without TLS.
	WebhookAllow []netip.Prefix
	// WebhookCAFile is a PEM file of authorities, besides those of the system, that may have signed the
	// certificates of receivers.
	WebhookCAFile string
}

// webhookRoots are who may have signed the certificates of receivers; nil: those of the system.
func (o *WebhookOptions) webhookRoots() (*x509.CertPool, error) {
	if o.WebhookCAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(o.WebhookCAFile)
	if err != nil {
		return nil, fmt.Errorf("--webhook-ca-file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--webhook-ca-file %s has no certificate in PEM", o.WebhookCAFile)
	}
	return pool, nil
}

// webhookSettings are what the sender needs to know.
func (o *WebhookOptions) webhookSettings() (webhook.Options, error) {
	roots, err := o.webhookRoots()
	return webhook.Options{Allow: o.WebhookAllow, Roots: roots}, err
}

// buildWebhooks makes who sends them, unless the operator wants none.
func (a *App) buildWebhooks() error {
	o, err := a.o.webhookSettings()
	if err != nil || a.o.NoWebhooks {
		return err
	}
	a.live.webhooks = webhook.New(o)
	a.onStop("connections to receivers of webhooks", func(context.Context) error { a.live.webhooks.Close(); return nil })
	return nil
}

// webhooks is the sender as the Manager takes it: nil is no value of an interface.
func (a *App) webhooks() sessions.Sender {
	if a.live.webhooks == nil {
		return nil
	}
	return a.live.webhooks
}
