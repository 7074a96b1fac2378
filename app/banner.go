package app

import (
	"bytes"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/template"

	"github.com/perch-im/perch"
)

var welcome = template.Must(template.New("welcome").Parse(`Perch {{.Version}}: one long-lived XMPP session per bearer token, served over HTTP

  gateway   {{.URL}}  (the console, in a browser)
{{- if .Admin}}
  admin     http://{{.Admin}}  (/livez /readyz /version /metrics)
{{- end}}
{{- range .Upstreams}}
  upstream  {{.}}
{{- end}}
  store     {{.Store}}
{{if .Demos}}
Demo accounts (the tokens are published: loopback only)
{{range .Demos}}
  {{.Name}}: {{.About}}
{{- range .Tokens}}
    {{.}}
{{- end}}
{{end}}
{{- if .Consent}}
Or sign in on the consent page of messenger, and take the access token from the address:

  {{.Consent}}
{{end}}
Try it in another terminal:
{{range .Demos}}{{$d := .}}{{range .Paths}}
  curl -H 'Authorization: Bearer {{$d.Token}}' {{$.URL}}{{.}}
{{- end}}
  curl -H 'Authorization: Bearer {{.Token}}' -H 'Content-Type: application/json' -d '{"to":"{{.Friend}}","body":"Hello!"}' {{$.URL}}/v1/messages
  curl -N -H 'Authorization: Bearer {{.Token}}' -H 'Accept: application/x-ndjson' {{$.URL}}/v1/events
{{end}}{{else}}
Sign in with a JID and a password (the answer has the bearer token for everything else):

  curl -H 'Content-Type: application/json' -d '{"jid":"you@{{.Domain}}","password":"..."}' {{.URL}}/v1/session
{{end}}
Stop with Ctrl-C.
`))

// Welcome prints what runs and how to try it. The lines work as they are pasted.
func Welcome(w io.Writer, a *App) error {
	data := struct {
		Version, URL, Admin, Store, Domain, Consent string
		Upstreams                                   []string
		Demos                                       []demoLines
	}{Version: a.o.Version, URL: a.URL(), Admin: a.AdminAddr(), Consent: a.ConsentURL(), Store: "memory (lost when this process ends; --redis-url keeps it)"}
	if a.o.RedisURL != "" {
		data.Store = "redis at " + redisHost(a.o.RedisURL)
	}
	for _, u := range a.o.Upstreams {
		data.Upstreams = append(data.Upstreams, u.line())
		if data.Domain == "" {
			data.Domain = u.Domain
		}
	}
	for _, e := range a.embedded {
		data.Upstreams = append(data.Upstreams, fmt.Sprintf("%s (embedded: %s at %s)", e.upstream.Name, e.upstream.Domain, e.upstream.Address))
		data.Demos = append(data.Demos, e.lines())
	}
	// In one write: lines of the log may go to the same terminal or file.
	var text bytes.Buffer
	if err := welcome.Execute(&text, data); err != nil {
		return err
	}
	_, err := w.Write(text.Bytes())
	return err
}

// demoLines are what is said of an embedded service.
type demoLines struct {
	Name, About, Token string
	Friend             perch.JID
	Tokens             []string
	Paths              []string // of the API, to look at first
}

func (e *embedded) lines() demoLines {
	d := demoLines{Name: e.upstream.Name, About: e.about, Token: e.accounts[0].token, Friend: e.friend, Paths: e.paths}
	for _, x := range e.accounts {
		d.Tokens = append(d.Tokens, fmt.Sprintf("%-12s %s", x.token, x.jid))
	}
	return d
}

// line describes an upstream in a few words.
func (u Upstream) line() string {
	where := "by SRV records"
	if u.Address != "" {
		where = "at " + u.Address
	}
	return fmt.Sprintf("%s (%s, %s, %s)", u.Name, u.Domain, where, u.Profile)
}

// redisHost leaves the password out of what is printed.
func redisHost(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "the configured address"
	}
	return strings.TrimPrefix(u.Host+u.Path, "/")
}
