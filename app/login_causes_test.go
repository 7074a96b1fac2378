package app_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

// scripted serves each connection with a script, and returns its address.
func scripted(t *testing.T, script func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("net.Listen: got error %v, want none", err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(20 * time.Second))
				script(c)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); serving.Wait() })
	return l.Addr().String()
}

// until reads what the client sends up to the end of a tag.
func until(c net.Conn, tag string) {
	var read strings.Builder
	for buf := make([]byte, 1); !strings.HasSuffix(read.String(), ">") || !strings.Contains(read.String(), tag); read.Write(buf) {
		if _, err := c.Read(buf); err != nil {
			return
		}
	}
}

const streamHeader = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' from='a.test' id='1'>`

// saying answers the first stream header with text, and waits for the client to go.
func saying(text string) func(net.Conn) {
	return func(c net.Conn) {
		until(c, "<stream:stream")
		fmt.Fprint(c, text)
		until(c, "never")
	}
}

// insideTLS is a server that starts TLS with a certificate and then says something.
func insideTLS(cert tls.Certificate, text string) func(net.Conn) {
	return func(c net.Conn) {
		until(c, "<stream:stream")
		fmt.Fprint(c, streamHeader+`<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>`)
		until(c, "<starttls")
		fmt.Fprint(c, `<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`)
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
		if s.Handshake() == nil {
			saying(text)(s)
		}
	}
}

// selfSigned is a certificate for a.test and the file of its own authority.
func selfSigned(t *testing.T, end time.Time) (cert tls.Certificate, caFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("GenerateKey: got error %v, want none", err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a.test"}, DNSNames: []string{"a.test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: end.Add(-48 * time.Hour), NotAfter: end, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatalf("CreateCertificate: got error %v, want none", err)
	}
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, caFile
}

// warnings keeps the lines at warn about logins, as their attributes.
type warnings struct {
	mu    sync.Mutex
	lines []map[string]string
}

func (*warnings) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }
func (w *warnings) WithAttrs([]slog.Attr) slog.Handler         { return w }
func (w *warnings) WithGroup(string) slog.Handler              { return w }

func (w *warnings) Handle(_ context.Context, r slog.Record) error {
	if r.Message != "logins to the upstream fail" {
		return nil
	}
	line := map[string]string{}
	r.Attrs(func(a slog.Attr) bool { line[a.Key] = a.Value.String(); return true })
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, line)
	return nil
}

func (w *warnings) of(cause string) map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.lines {
		if l["cause"] == cause {
			return l
		}
	}
	return nil
}

// causeCase is one way in which a login fails, and what is said of it: to the client, to the
// operator in the log, and in the metric.
type causeCase struct {
	name     string
	upstream app.Upstream
	jid      string // default you@ the domain
	cause    string
	status   int
	code     string
	detail   string
	advice   string
}

func causeCases(t *testing.T) []causeCase {
	t.Helper()
	prosody := testkit.SharedProsody(t)
	real := func(domain string) app.Upstream {
		return app.Upstream{Name: "real", Domain: domain, Address: prosody.Addr, CAFile: prosody.CAFile}
	}
	changed := func(u app.Upstream, change func(*app.Upstream)) app.Upstream { change(&u); return u }
	at := func(address string) app.Upstream {
		return app.Upstream{Name: "real", Domain: "a.test", Address: address}
	}
	good, ca := selfSigned(t, time.Now().Add(time.Hour))
	expired, expiredCA := selfSigned(t, time.Date(2020, 5, 1, 0, 0, 0, 0, time.UTC))
	trusting := func(file, address string) app.Upstream {
		return changed(at(address), func(u *app.Upstream) { u.CAFile = file })
	}
	user := prosody.NewUser(t, "alice")
	return []causeCase{
		// Go's resolver answers for this name itself (RFC 7686).
		{name: "no such host", upstream: app.Upstream{Name: "real", Domain: "nowhere.onion"}, cause: "no-such-host", status: 502, code: "xmpp-error",
			detail: "the XMPP server of nowhere.onion was not found", advice: "SRV"},
		{name: "refused", upstream: at(testkit.Loopback(testkit.FreePort(t))), cause: "refused", status: 503, code: "session-offline",
			detail: "the XMPP server of a.test refuses connections", advice: "5222"},
		{name: "time-out", upstream: at(scripted(t, func(c net.Conn) { until(c, "never") })), cause: "timeout", status: 504, code: "upstream-timeout",
			detail: "does not answer in time (opening the stream)", advice: "firewall"},
		{name: "hangs up", upstream: at(scripted(t, func(net.Conn) {})), cause: "closed", status: 503, code: "session-offline",
			detail: "closed the connection during the login (opening the stream)", advice: "log of the XMPP server"},
		{name: "HTTP in place of XMPP", upstream: at(scripted(t, saying("HTTP/1.1 400 Bad Request\r\n\r\n<html>"))), cause: "not-xmpp", status: 502, code: "xmpp-error",
			detail: "does not speak XMPP there", advice: "port in address"},
		{name: "direct TLS at a port for STARTTLS", upstream: changed(real(prosody.Domain), func(u *app.Upstream) { u.TLS = "direct" }), cause: "tls", status: 502, code: "upstream-tls",
			detail: "handshake failed", advice: "tls: starttls"},
		{name: "STARTTLS is not offered", upstream: at(scripted(t, saying(streamHeader+"<stream:features/>"))), cause: "tls-missing", status: 502, code: "upstream-tls",
			detail: "does not offer TLS", advice: "STARTTLS"},
		{name: "another name in the certificate", upstream: changed(real(prosody.Domain), func(u *app.Upstream) { u.ServerName = "elsewhere.test" }), cause: "certificate-name", status: 502, code: "upstream-tls",
			detail: "is for another name", advice: "server-name"},
		{name: "unknown authority", upstream: changed(real(prosody.Domain), func(u *app.Upstream) { u.CAFile = "" }), cause: "certificate-authority", status: 502, code: "upstream-tls",
			detail: "ca-file of the upstream", advice: "ca-file"},
		{name: "expired", upstream: trusting(expiredCA, scripted(t, insideTLS(expired, ""))), cause: "certificate-expired", status: 502, code: "upstream-tls",
			detail: "has expired on 2020-05-01", advice: "renew"},
		{name: "wrong password", upstream: real(prosody.Domain), jid: user.JID, cause: "credentials", status: 401, code: "unauthorized",
			detail: "refuses this credential", advice: "mistyped"},
		{name: "no common mechanism", upstream: changed(real(testkit.ProsodySCRAM), func(u *app.Upstream) { u.Mechanisms = []string{"SCRAM-SHA-256"} }), cause: "mechanism", status: 502, code: "xmpp-error",
			detail: "offers no mechanism that this upstream may use", advice: "mechanisms"},
		{name: "domain that is not served", upstream: changed(real("unserved.test"), func(u *app.Upstream) { u.ServerName = prosody.Domain }), cause: "host-unknown", status: 502, code: "xmpp-error",
			detail: "does not serve the domain unserved.test", advice: "domain of the upstream"},
		{name: "policy", upstream: trusting(ca, scripted(t, insideTLS(good, streamHeader+"<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"))),
			cause: "policy", status: 503, code: "session-offline", detail: "refuses the login by its policy", advice: "limits logins"},
	}
}

// TestCausesOfFailedLogins: why a login fails stands in the answer, without an address, in one line
// of the log, with what to do, and in a metric.
func TestCausesOfFailedLogins(t *testing.T) {
	for _, tt := range causeCases(t) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			log := &warnings{}
			a := observed(t, func(o *app.Options) {
				o.Upstreams, o.Logger = []app.Upstream{tt.upstream}, canary.Logger(log)
				if o.OpenTimeout = 2 * time.Second; tt.status == http.StatusGatewayTimeout {
					o.OpenTimeout = 15 * time.Second
				}
			})
			if tt.jid == "" {
				tt.jid = "you@" + tt.upstream.Domain
			}
			body := map[string]string{"jid": tt.jid, "password": canary.Secret()}
			answer := testkit.NewGateway(t, a.URL(), "").Call(t, tt.status, http.MethodPost, "/v1/session", body)
			wantProblem(t, answer, tt.code)
			if detail := answer.JSON(t).Str("detail"); !strings.Contains(detail, tt.detail) {
				t.Errorf("got detail %q, want %q in it", detail, tt.detail)
			}
			if tt.upstream.Address != "" && strings.Contains(string(answer.Body), "127.0.0.1") {
				t.Errorf("got the address of the server in the answer %s, want none", answer.Body)
			}
			if again := answer.Header.Get("Retry-After"); (again != "") != (tt.status == http.StatusServiceUnavailable) {
				t.Errorf("got Retry-After %q with status %d, want it with 503 alone", again, tt.status)
			}
			wantLine(t, log, tt)
			series := fmt.Sprintf("perch_xmpp_sign_in_failures_total{cause=%q,upstream=\"real\"} ", tt.cause)
			if text := scrape(t, a); !strings.Contains(text, series) || strings.Contains(text, series+"0\n") {
				t.Errorf("got no failure in %s, want at least 1", series)
			}
		})
	}
}

// wantLine looks for the one line about the cause of a failure.
func wantLine(t *testing.T, log *warnings, tt causeCase) {
	t.Helper()
	line := log.of(tt.cause)
	if line == nil || line["upstream"] != "real" || line["failures"] != "1" || line["error"] == "" || !strings.Contains(line["advice"], tt.advice) {
		t.Fatalf("got the line %v, want one of upstream real with cause %s, 1 failure, an error and advice with %q", line, tt.cause, tt.advice)
	}
	if tt.upstream.Address != "" && line["target"] != tt.upstream.Address {
		t.Errorf("got target %q, want %q", line["target"], tt.upstream.Address)
	}
	log.mu.Lock()
	defer log.mu.Unlock()
	if len(log.lines) != 1 {
		t.Errorf("got %d lines, want 1: %v", len(log.lines), log.lines)
	}
}

// TestCauseInTheSession: a session that was online shows why it is not, and no more when it is.
func TestCauseInTheSession(t *testing.T) {
	l := loginNamed("prosody SCRAM-SHA-1")
	s := l.server(t)
	u := s.NewUserAt(t, "alice", l.domainOn(s))
	proxy := testkit.NewProxy(t, l.address(s))
	g := l.signIn(t, start(t, l.upstream(s, proxy.Addr)), s, u)
	if o := g.Get(t, "/v1/session"); o["cause"] != nil || o["detail"] != nil {
		t.Errorf("got %v of a session that is online, want no cause", o)
	}
	stream := g.Stream(t, "")
	stream.ExpectType(t, "live")
	proxy.Down()
	testkit.Eventually(t, 20*time.Second, func() error {
		o := g.Get(t, "/v1/session")
		if o.Str("state") == "reconnecting" && o["cause"] == "refused" && strings.Contains(o.Str("detail"), "refuses connections") {
			return nil
		}
		return fmt.Errorf("session %v, want it reconnecting, with the cause refused", o)
	})
	proxy.Up(t)
	g.Call(t, http.StatusOK, http.MethodPost, "/v1/session", map[string]string{"jid": u.JID, "mechanism": l.mechanism, "password": u.Password})
	testkit.Eventually(t, 60*time.Second, func() error {
		if o := g.Get(t, "/v1/session"); o.Str("state") != "online" || o["cause"] != nil {
			return fmt.Errorf("session %v, want it online and without a cause", o)
		}
		return nil
	})
}
