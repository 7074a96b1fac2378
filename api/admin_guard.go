package api

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/perch-im/perch"
)

// withOperator lets operators in: by the token, or where there is none by coming from this machine.
// A page of another origin is refused whatever it sends: a browser of the operator is no way in.
func (a *API) withOperator(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := crossOrigin(r)
		if err == nil {
			err = a.operatorOf(r)
		}
		if err != nil {
			a.auditRefusal(r, "admin", "", err)
			a.writeProblem(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// operatorOf is nil when a request comes from an operator.
func (a *API) operatorOf(r *http.Request) error {
	token, sent, err := callerOf(r)
	right := a.settings().Admin.Token
	switch {
	case err != nil:
		return err
	case right.IsZero():
		return a.onLoopback(r)
	case !sent:
		return perch.Errorf(perch.KindUnauthorized, "the admin token is needed: send the PERCH_ADMIN_TOKEN of the gateway as Authorization: Bearer <token>")
	case !token.Equal(right):
		return perch.Errorf(perch.KindUnauthorized, "this is not the admin token: it is the PERCH_ADMIN_TOKEN of the gateway, and no token of a session")
	}
	return nil
}

// onLoopback is nil when a request has come to a listener of loopback, from this machine, under a
// name of loopback (a page can have a name of its own resolve to it), and through no proxy.
func (a *API) onLoopback(r *http.Request) error {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	switch {
	case local == nil || !isLoopback(local.String()) || !isLoopback(r.RemoteAddr):
		return perch.Errorf(perch.KindForbidden, "without a token the admin API answers this machine alone, on a listener of loopback: set PERCH_ADMIN_TOKEN on every node, and send it")
	case !loopbackHost(r.Host):
		return perch.Errorf(perch.KindForbidden, "without a token the admin API answers to localhost and addresses of loopback alone, not to %s: ask it there, or set PERCH_ADMIN_TOKEN", quoteShort(r.Host))
	case viaProxy(r.Header):
		return perch.Errorf(perch.KindForbidden, "the request came through a proxy, so that it may be from anywhere: set PERCH_ADMIN_TOKEN, and send it")
	}
	return nil
}

// isLoopback reports whether an address with a port is one of this machine alone.
func isLoopback(addr string) bool {
	ap, err := netip.ParseAddrPort(addr)
	return err == nil && ap.Addr().Unmap().IsLoopback()
}

func loopbackHost(host string) bool {
	host = hostName(host)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// viaProxy reports whether a proxy has left its mark.
func viaProxy(h http.Header) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if len(h.Values(name)) > 0 {
			return true
		}
	}
	return false
}

// crossOrigin refuses what a page of another origin sends, by what its browser says of it (Fetch
// Metadata, and the Origin of RFC 6454). A program sends neither.
func crossOrigin(r *http.Request) error {
	site := r.Header.Get("Sec-Fetch-Site")
	same := site == "" || site == "same-origin" || site == "none"
	for _, origin := range r.Header.Values("Origin") {
		scheme, host, ok := splitOrigin(origin)
		same = same && ok && host == withoutDefaultPort(scheme, strings.ToLower(r.Host))
	}
	if same {
		return nil
	}
	return perch.Errorf(perch.KindForbidden, "a page of another origin may not use the admin API")
}
