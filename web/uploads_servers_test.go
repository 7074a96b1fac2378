package web_test

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// TestUploadsOverServers attaches files in Chromium over real XMPP servers: straight to Prosody, which lets pages
// in; through the gateway where ejabberd does not; and straight to an ejabberd that is set up as docs/uploads.md says.
func TestUploadsOverServers(t *testing.T) {
	for name, tc := range map[string]struct {
		start func(t *testing.T, origin string) *testkit.Server
		args  []string
		env   []string
	}{
		"prosody": {
			func(t *testing.T, _ string) *testkit.Server { return testkit.Prosody(t, testkit.ProsodyOptions{}) },
			nil, []string{"PERCH_WAY=straight", "PERCH_EMPTY=1"},
		},
		"today": {func(t *testing.T, _ string) *testkit.Server { return embedded(t) }, nil, []string{"PERCH_WAY=straight", "PERCH_EMPTY=1"}},
		"ejabberd through the gateway": {
			func(t *testing.T, _ string) *testkit.Server { return testkit.Ejabberd(t) },
			[]string{"--upload-proxy", "on", "--upload-proxy-allow", "127.0.0.0/8"}, []string{"PERCH_WAY=through the gateway"},
		},
		"ejabberd with the headers of the guide": {
			func(t *testing.T, origin string) *testkit.Server {
				return testkit.EjabberdWith(t, testkit.EjabberdOptions{UploadHeaders: guideHeaders(t, origin)})
			},
			nil, []string{"PERCH_WAY=straight"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatalf("net.Listen: got error %v, want none", err)
			}
			origin := "http://" + l.Addr().String() // known before the server that lets it in
			server := tc.start(t, origin)
			g := newGateway(t, append([]string{"--upstream", upstreamOf(server), "--upload-http-host", "127.0.0.1"}, tc.args...)...)
			inFrontOf(t, g, l)
			node(t, "uploads_servers.mjs", append(tc.env, "PERCH_URL="+origin, twoAccounts(t, server), chromium(t), pictures(t))...)
		})
	}
}

// inFrontOf passes on what comes to a listener.
func inFrontOf(t *testing.T, g *gateway, l net.Listener) {
	t.Helper()
	front := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: g.addr})
	front.FlushInterval = -1
	server := &http.Server{Handler: front, ReadHeaderTimeout: time.Minute}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l) // until Close
	}()
	t.Cleanup(func() {
		server.Close()
		<-served
	})
}

// guideHeaders are the custom_headers that docs/uploads.md has for ejabberd, for another origin.
func guideHeaders(t *testing.T, origin string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../docs/uploads.md")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	_, block, _ := strings.Cut(string(text), "custom_headers:")
	block, _, _ = strings.Cut(block, "```")
	headers := map[string]string{}
	for _, m := range regexp.MustCompile(`"(Access-Control-[^"]+)": "([^"]+)"`).FindAllStringSubmatch(block, -1) {
		headers[m[1]] = strings.Replace(m[2], "https://chat.example.net", origin, 1)
	}
	if len(headers) != 3 || headers["Access-Control-Allow-Origin"] != origin {
		t.Fatalf("docs/uploads.md: got the headers %v, want three, one of them for the origin", headers)
	}
	return headers
}
