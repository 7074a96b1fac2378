package api

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// originAllowed reports whether the page that sent r may open an event socket: one of the same
// host, or of one of Options.Origins. Browsers send the Origin of the page, which the page cannot
// change; "null" (a file, a sandboxed frame) is always rejected. A request without Origin comes
// from no page: it is allowed, and has its own token.
func (a *API) originAllowed(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) == 1 && values[0] == "" {
		return true
	}
	if len(values) == 1 {
		scheme, host, ok := splitOrigin(values[0])
		if ok && withoutDefaultPort(scheme, strings.ToLower(r.Host)) == host {
			return true
		}
	}
	return a.originListed(r)
}

// originListed reports whether a request comes from no page, or from one of Options.Origins.
func (a *API) originListed(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return true
	}
	scheme, host, ok := splitOrigin(values[0])
	return ok && len(values) == 1 && slices.ContainsFunc(a.settings().Origins, func(allowed string) bool {
		s, h, ok := splitOrigin(allowed)
		return ok && s == scheme && h == host
	})
}

// splitOrigin splits an origin (RFC 6454, 6.2): only scheme://host[:port] is one. The
// host is returned in lower case and without the default port of its scheme.
func splitOrigin(origin string) (scheme, host string, ok bool) {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", "", false
	}
	if u.Scheme != "http" && u.Scheme != "https" || !strings.EqualFold(u.Scheme+"://"+u.Host, origin) {
		return "", "", false
	}
	return u.Scheme, withoutDefaultPort(u.Scheme, strings.ToLower(u.Host)), true
}

func withoutDefaultPort(scheme, host string) string {
	name, port, err := net.SplitHostPort(host)
	if err != nil || !(scheme == "http" && port == "80" || scheme == "https" && port == "443") {
		return host
	}
	if strings.Contains(name, ":") {
		return "[" + name + "]" // an IPv6 address keeps its brackets
	}
	return name
}
