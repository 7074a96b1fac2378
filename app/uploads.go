package app

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/sessions"
	"github.com/perch-im/perch/web"
)

// UploadProxy is [perch.UploadProxy].
type UploadProxy = perch.UploadProxy

// UploadOptions are about files that clients put on the web (XEP-0363).
type UploadOptions struct {
	// UploadProxy says whether files may go through the gateway: off (default), on, or only, where
	// clients do not reach the upload service.
	UploadProxy perch.UploadProxy
	// UploadProxyAllow are networks that are not public in which the gateway may reach upload services.
	UploadProxyAllow []netip.Prefix
	// UploadProxyBytes is the largest file that goes through the gateway; default 100 MiB.
	UploadProxyBytes int64
	// UploadHTTPHosts are the hosts of upload services whose addresses may be without TLS: names or
	// addresses, without a port.
	UploadHTTPHosts []string
}

// withLoopback are the options with the upload service of the demo, which is on this machine and has no TLS; there is no
// other upstream whose files could go there.
func (o UploadOptions) withLoopback() UploadOptions {
	const host = "127.0.0.1"
	if !slices.Contains(o.UploadHTTPHosts, host) {
		o.UploadHTTPHosts = append(slices.Clone(o.UploadHTTPHosts), host)
	}
	if loopback := netip.MustParsePrefix(host + "/32"); !slices.Contains(o.UploadProxyAllow, loopback) {
		o.UploadProxyAllow = append(slices.Clone(o.UploadProxyAllow), loopback)
	}
	return o
}

// uploads are the options of uploads that are in effect: with what runs, and not with what a reload has left
// for a restart.
func (o *Options) uploads() *UploadOptions {
	x := o.UploadOptions
	if o.runsDemo(DemoToday) {
		x = x.withLoopback()
	}
	return &x
}

// checkUploads names the setting that is wrong.
func (o *UploadOptions) checkUploads() error {
	if !slices.Contains([]perch.UploadProxy{"", perch.UploadProxyOff, perch.UploadProxyOn, perch.UploadProxyOnly}, o.UploadProxy) {
		return fmt.Errorf("--upload-proxy %q is none of off, on, only", o.UploadProxy)
	}
	if o.UploadProxyBytes < 0 {
		return fmt.Errorf("--upload-proxy-bytes must be more than 0")
	}
	for _, host := range o.UploadHTTPHosts {
		name := hostOf(host)
		at := name
		if strings.Contains(name, ":") {
			at = "[" + name + "]"
		}
		if u, err := url.Parse("http://" + at); err != nil || name == "" || u.Hostname() != name || u.Host != at || strings.ContainsAny(name, notInHosts) {
			return fmt.Errorf("--upload-http-host %q must be a name or an address without a scheme and a port, such as 127.0.0.1", host)
		}
	}
	return nil
}

// notInHosts are characters that an address may have in its host and a name has not. Those that have a meaning in a
// Content-Security-Policy would make another one of that of the console.
const notInHosts = "!$&'()*+,;=\"<>%"

// hostOf is a host as the host of an address is compared.
func hostOf(host string) string { return strings.ToLower(strings.Trim(host, "[]")) }

// uploadPolicy is what sessions need to know.
func (o *UploadOptions) uploadPolicy() sessions.UploadPolicy {
	p := sessions.UploadPolicy{Proxy: o.UploadProxy, Bytes: o.UploadProxyBytes}
	for _, host := range o.UploadHTTPHosts {
		p.HTTP = append(p.HTTP, hostOf(host))
	}
	return p
}

// pageHosts are the hosts that the console may use: upload services, whose addresses a session learns only
// when it asks for a slot, and those that others have put pictures on.
func (o *UploadOptions) pageHosts() (x web.Others) {
	x.Pictures = []string{"https:"}
	for _, host := range o.UploadHTTPHosts {
		if name := hostOf(host); !strings.Contains(name, ":") { // a policy has no way to name an IPv6 address
			x.Pictures = append(x.Pictures, "http://"+name+":*")
		}
	}
	if o.UploadProxy != perch.UploadProxyOnly {
		x.Uploads = x.Pictures
	}
	return x
}

// serveUploads is what the API needs to know.
func (o *UploadOptions) serveUploads(x *api.UploadOptions) {
	x.Bytes, x.Allow = o.UploadProxyBytes, o.UploadProxyAllow
}

// uploadRoots are the roots of the system and those of the ca-file of an upstream, as it is now: who runs a
// CA of their own for XMPP mostly has it sign the upload service, too. nil: those of the system alone.
func (a *App) uploadRoots(name string) *x509.CertPool {
	u, ok := (*a.live.upstreams.Load())[name]
	if !ok || u.config.CAFile == "" {
		return nil
	}
	pem, err := os.ReadFile(u.config.CAFile)
	if err != nil {
		a.log.Debug("the ca-file of an upstream was not read for an upload", "upstream", name, "error", err)
		return nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM(pem)
	return pool
}
