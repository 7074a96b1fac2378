package api_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http/httptest"
	"testing"
)

// TestNodesOverTLS: between the nodes, and with HTTP/2 to the client, everything is the same.
func TestNodesOverTLS(t *testing.T) {
	some := httptest.NewTLSServer(nil) // they all have one certificate
	roots := x509.NewCertPool()
	roots.AddCert(some.Certificate())
	some.Close()
	n := newNodes(t, func(o *gatewayOptions) {
		o.tls, o.NodeTLS = true, &tls.Config{RootCAs: roots}
		o.at = "https" + o.at[len("http"):]
	})
	conn := n.openAtB("tok-alice")
	res, body := n.a.get("/v1/buddies", "tok-alice", nil)
	if res.StatusCode != 200 || res.ProtoMajor != 2 || n.a.manager.Len() != 0 {
		t.Fatalf("got %s %s %s, want HTTP/2, 200, and the session at b", res.Proto, res.Status, body)
	}
	feeds := map[string]feed{}
	for _, encoding := range encodings {
		feeds[encoding] = n.a.stream(encoding, "tok-alice", "")
		upTo(t, feeds[encoding], "live")
	}
	for i := range 100 {
		say(conn, fmt.Sprint("m", i))
	}
	for _, f := range feeds {
		until(t, f, "m99")
	}
	n.toB.cut()
	for encoding, f := range feeds {
		if _, code, clean := endOf(f); encoding == "ws" && code != 4201 || encoding != "ws" && !clean {
			t.Errorf("%s: closed with %d, clean %v, want 4201, or a clean end of lines", encoding, code, clean)
		}
		f.close()
	}
}

// TestNodesWithoutTrust: a node whose certificate is not trusted gets no request.
func TestNodesWithoutTrust(t *testing.T) {
	n := newNodes(t, func(o *gatewayOptions) {
		o.tls, o.at = true, "https"+o.at[len("http"):]
	})
	n.openAtB("tok-alice")
	if status, h := n.a.status("POST", "/v1/messages", "tok-alice", waiting); status != 503 || h.Get("Retry-After") != "1" {
		t.Errorf("got %d %v, want 503 and a second to wait", status, h)
	}
}
