package app

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// certificate reads a certificate again when one of its files has changed, so that a
// renewal needs no restart. A broken new file leaves the old certificate in use.
type certificate struct {
	certFile, keyFile string

	mu      sync.Mutex // held while the two small files are read
	changed [2]time.Time
	cert    *tls.Certificate
}

// newCertificate fails when the files cannot be used now.
func newCertificate(certFile, keyFile string) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile}
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("--tls-cert, --tls-key: %w", err)
	}
	return c, nil
}

func (c *certificate) load() error {
	changed, err := c.stat()
	if err != nil {
		return err
	}
	if c.cert != nil && changed == c.changed {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.cert, c.changed = &pair, changed
	return nil
}

func (c *certificate) stat() (t [2]time.Time, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return t, err
		}
		t[i] = info.ModTime()
	}
	return t, nil
}

// differs reports whether c serves another certificate than the one before it, or has other files.
func (c *certificate) differs(before *certificate) bool {
	before.mu.Lock()
	defer before.mu.Unlock()
	return c.certFile != before.certFile || c.keyFile != before.keyFile || !slices.EqualFunc(c.cert.Certificate, before.cert.Certificate, bytes.Equal)
}

// expires is when the certificate ends that is in use. The error says why a newer one could not be read.
func (c *certificate) expires() (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.load()
	return c.cert.Leaf.NotAfter, err
}

// get is tls.Config.GetCertificate.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.load() // half-written files during a renewal: the old pair still serves
	return c.cert, nil
}
