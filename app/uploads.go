package app

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/perch-im/perch/sessions"
)

// UploadOptions are about files that clients put on the web (XEP-0363).
type UploadOptions struct {
	// UploadHTTPHosts are the hosts of upload services whose addresses may be without TLS: names or
	// addresses, without a port.
	UploadHTTPHosts []string
}

// checkUploads names the setting that is wrong.
func (o *UploadOptions) checkUploads() error {
	for _, host := range o.UploadHTTPHosts {
		name := hostOf(host)
		at := name
		if strings.Contains(name, ":") {
			at = "[" + name + "]"
		}
		if u, err := url.Parse("http://" + at); err != nil || name == "" || u.Hostname() != name || u.Host != at {
			return fmt.Errorf("--upload-http-host %q must be a name or an address without a scheme and a port, such as 127.0.0.1", host)
		}
	}
	return nil
}

// hostOf is a host as the host of an address is compared.
func hostOf(host string) string { return strings.ToLower(strings.Trim(host, "[]")) }

// uploadPolicy is what sessions need to know.
func (o *UploadOptions) uploadPolicy() sessions.UploadPolicy {
	var p sessions.UploadPolicy
	for _, host := range o.UploadHTTPHosts {
		p.HTTP = append(p.HTTP, hostOf(host))
	}
	return p
}
