package app_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

// externalWorld is a gateway that has the certificate of one account of an ejabberd.
type externalWorld struct {
	*reloadWorld
	bot              testkit.User
	token            string
	cert, key, proof string // files
}

func newExternalWorld(t *testing.T) *externalWorld {
	t.Helper()
	s := testkit.EjabberdWith(t, testkit.EjabberdOptions{ClientCertificates: true})
	dir := t.TempDir()
	x := &externalWorld{
		bot: s.NewUser(t, "bot"), token: canary.Secret() + strings.Repeat("t", 32),
		cert: filepath.Join(dir, "client.pem"), key: filepath.Join(dir, "client.key"), proof: filepath.Join(dir, "token"),
	}
	x.reloadWorld = &reloadWorld{t: t}
	x.issue(testkit.CA(t), testkit.ClientCertificate{})
	x.write(x.proof, []byte(x.token+"\n"))
	x.reloadWorld = newReloadWorld(t, func(o *app.Options) {
		o.Upstreams = []app.Upstream{{Name: "bots", Domain: s.Domain, Address: s.Addr, CAFile: s.CAFile, ClientCert: x.cert, ClientKey: x.key, ClientTokenFile: x.proof}}
	})
	x.server = s
	return x
}

// issue writes another certificate of the account.
func (x *externalWorld) issue(ca *testkit.Authority, c testkit.ClientCertificate) {
	x.t.Helper()
	c.Addresses = []string{x.bot.JID}
	cert, key := ca.Client(x.t, c)
	x.write(x.cert, cert)
	x.write(x.key, key)
}

// enter signs in, and returns the status, the token and the problem.
func (x *externalWorld) enter(body map[string]string) (status int, token, problem string) {
	x.t.Helper()
	status, text, err := x.call(x.t.Context(), http.MethodPost, "/v1/session", "", body)
	if err != nil {
		x.t.Fatalf("POST /v1/session: got error %v, want none", err)
	}
	var answer struct{ Token, Detail string }
	if err := json.Unmarshal(text, &answer); err != nil {
		x.t.Fatalf("got %s, want JSON", text)
	}
	if strings.Contains(string(text), x.token) {
		x.t.Error("got the operator's token in an answer, want it nowhere")
	}
	return status, answer.Token, answer.Detail
}

// own is the sign-in of the account by the operator's token.
func (x *externalWorld) own() map[string]string {
	return map[string]string{"jid": x.bot.JID, "token": x.token}
}

// mustEnter signs the account in, looks that it is online as itself, and signs it out.
func (x *externalWorld) mustEnter(when string) {
	x.t.Helper()
	status, token, problem := x.enter(x.own())
	if status != http.StatusCreated {
		x.t.Fatalf("%s: got status %d, %s, want %d", when, status, problem, http.StatusCreated)
	}
	status, text, err := x.call(x.t.Context(), http.MethodGet, "/v1/session", token, nil)
	if err != nil || status != http.StatusOK || !strings.Contains(string(text), `"online"`) || !strings.Contains(string(text), x.bot.JID) {
		x.t.Errorf("%s: got status %d, %s, error %v, want the account online", when, status, text, err)
	}
	if status, text, err = x.call(x.t.Context(), http.MethodDelete, "/v1/session", token, nil); err != nil || status != http.StatusNoContent {
		x.t.Fatalf("%s: signing out: got status %d, %s, error %v, want %d", when, status, text, err, http.StatusNoContent)
	}
}

// TestExternal: an account signs in to ejabberd with the operator's certificate, for whoever has the operator's
// token and for nobody else; a certificate that is renewed is used after a reload, one that ejabberd does not
// take, or that has expired, is named as the cause.
func TestExternal(t *testing.T) {
	x := newExternalWorld(t)
	x.mustEnter("the first certificate")
	x.server.ExpectLog(t, "authentication for "+x.bot.JID+" by ")

	other := x.server.NewUser(t, "carol")
	for name, tt := range map[string]struct {
		body map[string]string
		want int
	}{
		"another token":                     {map[string]string{"jid": x.bot.JID, "token": canary.Secret()}, http.StatusUnauthorized},
		"the token, and another account":    {map[string]string{"jid": other.JID, "token": x.token}, http.StatusUnprocessableEntity},
		"the token, and an account of none": {map[string]string{"jid": "nobody@" + x.server.Domain, "token": x.token}, http.StatusUnprocessableEntity},
		"the token, and another mechanism":  {map[string]string{"jid": x.bot.JID, "token": x.token, "mechanism": "X-OAUTH2"}, http.StatusUnprocessableEntity},
		"the token as a password":           {map[string]string{"jid": x.bot.JID, "password": x.token}, http.StatusUnauthorized},
		"another account by its password":   {map[string]string{"jid": other.JID, "password": other.Password}, http.StatusCreated},
	} {
		if status, _, problem := x.enter(tt.body); status != tt.want {
			t.Errorf("%s: got status %d, %s, want %d", name, status, problem, tt.want)
		}
	}

	x.issue(testkit.CA(t), testkit.ClientCertificate{})
	x.mustReloadTo("a renewed certificate")
	x.mustEnter("a renewed certificate")

	for name, tt := range map[string]struct {
		ca   *testkit.Authority
		cert testkit.ClientCertificate
		want string
	}{
		"of an authority that ejabberd does not know": {testkit.NewAuthority(t), testkit.ClientCertificate{}, "certificate that this gateway has for the account"},
		"expired": {testkit.CA(t), testkit.ClientCertificate{Expired: true}, "has expired on"},
	} {
		x.issue(tt.ca, tt.cert)
		x.mustReloadTo(name)
		status, _, problem := x.enter(x.own())
		if status != http.StatusBadGateway || !strings.Contains(problem, tt.want) {
			t.Errorf("%s: got status %d, %q, want %d with %q", name, status, problem, http.StatusBadGateway, tt.want)
		}
		if log := x.log.String(); !strings.Contains(log, "cause=client-certificate") {
			t.Errorf("%s: got the log %s, want a line with its cause", name, log)
		}
	}

	x.write(x.cert, []byte("half a certificate"))
	if _, err := x.reload(func(*app.Options) {}); err == nil || !strings.Contains(err.Error(), "client-cert") {
		t.Errorf("a broken file: got error %v, want one that names client-cert", err)
	}
	x.issue(testkit.CA(t), testkit.ClientCertificate{})
	x.mustReloadTo("the last certificate")
	x.mustEnter("the last certificate")
	if strings.Contains(x.log.String(), x.token) || strings.Contains(x.server.Log(t), x.token) {
		t.Error("got the operator's token in a log, want it nowhere")
	}
}

// mustReloadTo reloads once the files have changed.
func (x *externalWorld) mustReloadTo(what string) {
	x.t.Helper()
	done, err := x.reload(func(*app.Options) {})
	if err != nil || !slices.Contains(done.Changed, "upstream bots") {
		x.t.Fatalf("%s: got %+v, error %v, want the upstream changed", what, done, err)
	}
}
