package main

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

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

// upstreamKeys are what a query may say of an upstream: each is read by its function, those of lists as often
// as they are given.
func upstreamKeys(up *app.Upstream) (keys, lists map[string]func(string) error) {
	text := func(p *string) func(string) error { return func(v string) error { *p = v; return nil } }
	list := func(p *[]string) func(string) error { return func(v string) error { *p = append(*p, v); return nil } }
	keys = map[string]func(string) error{
		"name": text(&up.Name), "domain": text(&up.Domain), "address": text(&up.Address), "tls": text(&up.TLS),
		"server-name": text(&up.ServerName), "ca-file": text(&up.CAFile), "client-cert": text(&up.ClientCert), "client-key": text(&up.ClientKey), "client-token-file": text(&up.ClientTokenFile), "profile": text(&up.Profile),
		"token-mechanism": text(&up.TokenMechanism), "token-prefix": text(&up.TokenPrefix), "rooms": text(&up.Rooms), "resource": text(&up.Resource),
		"idle": text((*string)(&up.Idle)), "idle-after": parsed(&up.IdleAfter, time.ParseDuration, "a time such as 10m"),
		"max-sessions": parsed(&up.MaxSessions, strconv.Atoi, aWhole), "sessions-per-account": parsed(&up.SessionsPerAccount, strconv.Atoi, aWhole),
		"logins": parsed(&up.Logins, strconv.Atoi, aWhole), "login-rate": parsed(&up.LoginRate, parseFloat, aNumber), "account-rate": parsed(&up.AccountRate, parseFloat, aNumber),
	}
	return keys, map[string]func(string) error{"mechanism": list(&up.Mechanisms), "redirect-allow": list(&up.RedirectAllow), "label": up.Labels.Set}
}

const aWhole, aNumber = "a whole number", "a number"

func parseFloat(text string) (float64, error) { return strconv.ParseFloat(text, 64) }

// parsed reads a value into p; what says what it must be.
func parsed[T any](p *T, read func(string) (T, error), what string) func(string) error {
	return func(text string) error {
		v, err := read(text)
		if err != nil {
			return fmt.Errorf("%q is not %s", text, what)
		}
		*p = v
		return nil
	}
}

func applyQuery(up *app.Upstream, q url.Values) error {
	keys, lists := upstreamKeys(up)
	for key, values := range q {
		set := lists[key]
		if set == nil {
			if set = keys[key]; set == nil {
				return fmt.Errorf("--upstream: unknown setting %q; there are: %s", key, strings.Join(slices.Sorted(maps.Keys(merged(keys, lists))), ", "))
			}
			if len(values) > 1 {
				return fmt.Errorf("--upstream: %s is given %d times", key, len(values))
			}
		}
		for _, v := range values {
			if err := set(v); err != nil {
				return fmt.Errorf("--upstream: %s: %w", key, err)
			}
		}
	}
	return nil
}

func merged[V any](a, b map[string]V) map[string]V {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
