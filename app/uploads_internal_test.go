package app

import (
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
