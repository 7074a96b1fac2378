package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/perch-im/perch/app"
)

// parseUpstream reads the value of --upstream: a domain, or a URL whose host is the
// address to dial and whose query has the rest.
func parseUpstream(text string) (app.Upstream, error) {
	if !strings.Contains(text, "://") {
		if text == "" || strings.ContainsAny(text, "/?@: ") {
			return app.Upstream{}, fmt.Errorf("--upstream %q is neither a domain nor a URL such as xmpp://host:port", text)
		}
		return app.Upstream{Domain: text}, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return app.Upstream{}, fmt.Errorf("--upstream: %w", err)
	}
	up := app.Upstream{Domain: u.Hostname()}
	switch u.Scheme {
	case "xmpp":
	case "xmpps":
		up.TLS = "direct"
	default:
		return up, fmt.Errorf("--upstream %q: the scheme must be xmpp or xmpps", text)
	}
	if u.User != nil || (u.Path != "" && u.Path != "/") || u.Fragment != "" {
		return up, fmt.Errorf("--upstream %q: only host, port and query are read; credentials never belong here", text)
	}
	if u.Port() != "" {
		up.Address = u.Host
	}
	return up, applyQuery(&up, u.Query())
}

func applyQuery(up *app.Upstream, q url.Values) error {
	fields := map[string]*string{
		"name": &up.Name, "domain": &up.Domain, "address": &up.Address, "tls": &up.TLS,
		"server-name": &up.ServerName, "ca-file": &up.CAFile, "profile": &up.Profile,
		"token-mechanism": &up.TokenMechanism, "resource": &up.Resource,
	}
	lists := map[string]*[]string{"mechanism": &up.Mechanisms, "redirect-allow": &up.RedirectAllow}
	for key, values := range q {
		switch {
		case fields[key] != nil && len(values) == 1:
			*fields[key] = values[0]
		case fields[key] != nil:
			return fmt.Errorf("--upstream: %s is given %d times", key, len(values))
		case lists[key] != nil:
			*lists[key] = values
		default:
			return fmt.Errorf("--upstream: unknown setting %q; there are: %s", key, known(fields, lists))
		}
	}
	return nil
}

func known(fields map[string]*string, lists map[string]*[]string) string {
	var names []string
	for n := range fields {
		names = append(names, n)
	}
	for n := range lists {
		names = append(names, n)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
