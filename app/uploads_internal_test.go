package app

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

// TestUploadHTTPHosts: a host is compared as that of an address, and what is no host is named.
func TestUploadHTTPHosts(t *testing.T) {
	o := UploadOptions{UploadHTTPHosts: []string{"127.0.0.1", "[::1]", "::1", "Upload.Example.NET", "prosody"}}
	if err := o.checkUploads(); err != nil {
		t.Fatalf("checkUploads: got error %v, want none", err)
	}
	if got, want := o.uploadPolicy().HTTP, []string{"127.0.0.1", "::1", "::1", "upload.example.net", "prosody"}; !slices.Equal(got, want) {
		t.Errorf("got hosts %q, want %q", got, want)
	}
	for _, host := range []string{"", "http://up.test", "up.test:5280", "[::1]:5280", "up.test/a", "a b", "user@up.test", "up.test?x", "up.test,other.test", "up.test;script-src", "*.up.test", "'self'"} {
		o := UploadOptions{UploadHTTPHosts: []string{host}}
		if err := o.checkUploads(); err == nil || !strings.Contains(err.Error(), "--upload-http-host") {
			t.Errorf("%q: got error %v, want one that names the setting", host, err)
		}
	}
}

// TestPageHosts: the console may reach every upload service by https, and by http those that the operator
// names; where files go through the gateway only, it sends them nowhere else.
func TestPageHosts(t *testing.T) {
	hosts := []string{"127.0.0.1", "[::1]", "Upload.example.net"}
	others := []string{"https:", "http://127.0.0.1:*", "http://upload.example.net:*"}
	for proxy, want := range map[perch.UploadProxy][]string{perch.UploadProxyOff: others, perch.UploadProxyOn: others, perch.UploadProxyOnly: nil} {
		got := (&UploadOptions{UploadProxy: proxy, UploadHTTPHosts: hosts}).pageHosts()
		if !slices.Equal(got.Uploads, want) || !slices.Equal(got.Pictures, others) {
			t.Errorf("%s: got %+v, want files to %v and pictures of %v", proxy, got, want, others)
		}
	}
}

// TestUploadsOfTheDemo: the upload service of the embedded service of today may be on this machine, and that
// of nobody else. It stays so for as long as the embedded service runs: a reload only says what a restart is to do.
func TestUploadsOfTheDemo(t *testing.T) {
	real := []Upstream{{Name: "real", Address: "127.0.0.1:5222", Domain: "example.net", TLS: "starttls"}}
	of := func(demo string) (o Options) {
		o.Demo = demo
		return o
	}
	for name, tt := range map[string]struct {
		starts, reloads Options
		want            bool
	}{
		"today, then messenger":        {of(DemoToday), of(DemoMessenger), true},
		"messenger, then today":        {of(DemoMessenger), of(DemoToday), false},
		"both, then an own upstream":   {of(DemoBoth), Options{Upstreams: real}, true},
		"an own upstream, then both":   {Options{Upstreams: real}, of(DemoBoth), false},
		"an own upstream, then itself": {Options{Upstreams: real}, Options{Upstreams: real}, false},
	} {
		t.Run(name, func(t *testing.T) {
			was, o := tt.starts.withDefaults(), tt.reloads.withDefaults()
			o.keepFixed(&was, len(was.Upstreams) == 0)
			for when, got := range map[string]*UploadOptions{"before": was.uploads(), "after": o.uploads()} {
				if got := got.uploadPolicy().HTTP; slices.Contains(got, "127.0.0.1") != tt.want {
					t.Errorf("%s the reload: got hosts without TLS %q, want 127.0.0.1 among them: %v", when, got, tt.want)
				}
				if got := got.UploadProxyAllow; slices.Contains(got, netip.MustParsePrefix("127.0.0.1/32")) != tt.want {
					t.Errorf("%s the reload: got addresses of files %v, want 127.0.0.1 among them: %v", when, got, tt.want)
				}
			}
			if len(o.UploadHTTPHosts) != 0 || len(o.UploadProxyAllow) != 0 {
				t.Errorf("got options %+v, want those that were given", o.UploadOptions)
			}
		})
	}
}
