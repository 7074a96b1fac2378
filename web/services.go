package web

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"sync"

	"github.com/perch-im/perch/internal/static"
)

// Service is an XMPP service that the console offers to sign in to. Everything here is public: it is part
// of the first page.
type Service struct {
	Upstream   string    `json:"upstream"`              // its name, as POST /v1/session takes it
	Label      string    `json:"label"`                 // what people call it
	About      string    `json:"about,omitempty"`       // what it is for, where it offers accounts
	Password   bool      `json:"password,omitempty"`    // whether a JID with its password signs in
	SignIn     string    `json:"sign_in,omitempty"`     // its consent page (RFC 6749, 4.2), whose token is returned in the fragment
	Scope      string    `json:"scope,omitempty"`       // what is asked for there
	Hint       string    `json:"hint,omitempty"`        // what to try first, shown while no conversation is open
	LinkCutter string    `json:"link_cutter,omitempty"` // the account that cuts the link of whoever writes "cut" to it
	Accounts   []Account `json:"accounts,omitempty"`    // to try it with
}

// Account is one to try a service with. Its token is published.
type Account struct {
	Name  string `json:"name"`
	Token string `json:"token"`
}

// Others are the sources outside of this host that the console may use, as a Content-Security-Policy
// names them (https:, http://host:*). Scripts and styles are never among them.
type Others struct {
	Uploads  []string // to which it may send files
	Pictures []string // from which it may show pictures, when a user asks for one
}

// Option changes what the console offers.
type Option func(*settings)

type settings struct {
	services func() []Service
	others   func() Others
	missing  http.Handler
}

// Services are those that the console offers, the one that access tokens are for first. It is called for
// each first page, as an operator may change them; without it the console asks for a token alone.
func Services(services func() []Service) Option {
	return func(s *settings) { s.services = services }
}

// Elsewhere lets the console use other hosts: upload services (XEP-0363) are mostly not that of the
// gateway. It is called for each file that is served; without it there are none.
func Elsewhere(others func() Others) Option {
	return func(s *settings) { s.others = others }
}

// Missing answers for the paths that do not exist; without it they are a 404 in a line of text.
func Missing(h http.Handler) Option {
	return func(s *settings) { s.missing = h }
}

// first is the first page, which has what the console is to know before it asks the API. It is made
// again when that has changed.
type first struct {
	services func() []Service

	mu   sync.Mutex
	with string // the services that made has
	made *static.File
}

var index = template.Must(template.ParseFS(files, "index.html"))

// page is the first page as it is to be now.
func (f *first) page() *static.File {
	text, err := json.Marshal(f.services())
	if err != nil {
		panic("web: " + err.Error()) // texts and switches can be written
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.with == string(text) {
		return f.made
	}
	var b bytes.Buffer
	if err = index.Execute(&b, struct{ Services string }{string(text)}); err != nil {
		panic("web: " + err.Error()) // a broken build
	}
	f.made, f.with = static.New(b.Bytes(), mediaType("index.html")), string(text)
	return f.made
}
