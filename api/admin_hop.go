package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"

	"github.com/perch-im/perch"
)

// adminRoot begins every path of the operator's API.
const adminRoot = "/admin/v1/"

// adminBody bounds a body of the operator's API, in bytes.
const adminBody = 64 << 10

// withOperatorHop answers what a peer asks for an operator. It comes to the listener of the gateway,
// which is where nodes reach each other; to a client there is nothing at these addresses.
func (a *API) withOperatorHop(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, adminRoot) || len(r.Header.Values(hopHeader)) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		h := a.unseal(r)
		if h == nil || h.Operator == "" || !vouchesFor(h, w, r) {
			next.ServeHTTP(w, r) // it is refused as any other hop that is not valid
			return
		}
		a.adminOfPeers.ServeHTTP(w, peerRequest(r, h))
	})
}

// vouchesFor reports whether a hop is for the body of r, which is read, and can be read again.
func vouchesFor(h *hop, w http.ResponseWriter, r *http.Request) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, adminBody))
	r.Body = io.NopCloser(bytes.NewReader(body))
	return err == nil && bodySum(body) == h.Operator
}

func bodySum(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// peerRequest is a request of a peer with what the peer says of its client.
func peerRequest(r *http.Request, h *hop) *http.Request {
	r = r.WithContext(context.WithValue(r.Context(), hopKey{}, h))
	r.Header.Del(hopHeader)
	setClient(r, h)
	return r
}

// operatorHop vouches for a request of an operator, with its body.
func (a *API) operatorHop(r *http.Request, body []byte) hop {
	h := a.newHop(r, vouched{})
	h.Operator, h.Once = bodySum(body), newOnce()
	return h
}

// errNoNode is for a node that this one does not know.
func errNoNode(pointer, name string) error {
	return perch.Invalid(pointer, "there is no node %s; GET /admin/v1/nodes lists those that there are", quoteShort(name))
}
