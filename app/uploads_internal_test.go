package app

import (
	"slices"
	"strings"
	"testing"
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
	for _, host := range []string{"", "http://up.test", "up.test:5280", "[::1]:5280", "up.test/a", "a b", "user@up.test", "up.test?x"} {
		o := UploadOptions{UploadHTTPHosts: []string{host}}
		if err := o.checkUploads(); err == nil || !strings.Contains(err.Error(), "--upload-http-host") {
			t.Errorf("%q: got error %v, want one that names the setting", host, err)
		}
	}
}
