package app_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

// reloadWorld is a gateway with TLS in front of a real server, and its settings as they are now.
type reloadWorld struct {
	t         *testing.T
	a         *app.App
	o         app.Options
	server    *testkit.Server
	cert, key string
	http      *http.Client
	log       *lockedBuffer
}

func newReloadWorld(t *testing.T, change ...func(*app.Options)) *reloadWorld {
	t.Helper()
	w := &reloadWorld{t: t, server: testkit.SharedProsody(t), log: &lockedBuffer{}}
	dir := t.TempDir()
	w.cert, w.key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	w.renew()
	w.o = app.Options{
		Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", TLSCert: w.cert, TLSKey: w.key, Secret: appSecret,
		Upstreams: []app.Upstream{{Name: "first", Domain: w.server.Domain, Address: w.server.Addr, CAFile: w.server.CAFile}},
		Logger:    canary.Logger(slog.NewTextHandler(w.log, nil)),
	}
	for _, c := range change {
		c(&w.o)
	}
	a, err := app.New(w.o)
	if err != nil {
		t.Fatalf("app.New: got error %v, want none", err)
	}
	w.a = a
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Errorf("a.Stop: got error %v, want none", err)
		}
	})
	if err := a.Start(); err != nil {
		t.Fatalf("a.Start: got error %v, want none", err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: testkit.CA(t).Pool}, MaxIdleConnsPerHost: 20}
	t.Cleanup(transport.CloseIdleConnections)
	w.http = &http.Client{Transport: transport, Timeout: 2 * time.Minute}
	return w
}

// renew writes another certificate.
func (w *reloadWorld) renew() {
	w.t.Helper()
	c, k := testkit.CA(w.t).Leaf(w.t, "127.0.0.1", "localhost")
	for name, text := range map[string][]byte{w.cert: c, w.key: k} {
		w.write(name, text)
	}
}

func (w *reloadWorld) write(name string, text []byte) {
	w.t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		w.t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
}

// reload changes the settings as an edited file does.
func (w *reloadWorld) reload(change func(*app.Options)) (app.Reloaded, error) {
	o := w.o
	o.Upstreams = slices.Clone(o.Upstreams)
	change(&o)
	done, err := w.a.Reload(o)
	w.a.Report(done, err)
	if err == nil {
		w.o = o
	}
	return done, err
}

// serial is that of the certificate which a new connection gets.
func (w *reloadWorld) serial() string {
	w.t.Helper()
	c, err := tls.Dial("tcp", w.a.Addr(), &tls.Config{RootCAs: testkit.CA(w.t).Pool, ServerName: "localhost"})
	if err != nil {
		w.t.Fatalf("tls.Dial: got error %v, want none", err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// call sends a request and returns the status and the body.
func (w *reloadWorld) call(ctx context.Context, method, path, token string, body any) (int, []byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, w.a.URL()+path, bytes.NewReader(text))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := w.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	text, err = io.ReadAll(res.Body)
	return res.StatusCode, text, err
}

// signIn returns the status and the token.
func (w *reloadWorld) signIn(upstream string, u testkit.User) (int, string) {
	w.t.Helper()
	status, body, err := w.call(w.t.Context(), http.MethodPost, "/v1/session", "", map[string]string{"jid": u.JID, "password": u.Password, "upstream": upstream})
	if err != nil {
		w.t.Fatalf("POST /v1/session: got error %v, want none", err)
	}
	var answer struct{ Token string }
	_ = json.Unmarshal(body, &answer)
	return status, answer.Token
}

// reloadUser is a user who reads, writes and listens for as long as the test changes settings.
type reloadUser struct {
	jid, token string
	sent       []string // accepted
	received   map[string]bool
	streamErr  error
	cursor     string        // of the last event
	arrivals   chan string   // of messages, for received
	requests   int           // that were answered
	answered   atomic.Int64  // the same, for others
	heard      atomic.Int64  // messages of the other one that have arrived
	loaded     chan struct{} // closed when they are enough
}

// reloadUser signs a user in.
func (w *reloadWorld) reloadUser(u testkit.User) *reloadUser {
	w.t.Helper()
	status, token := w.signIn("first", u)
	if status != http.StatusCreated {
		w.t.Fatalf("signing in: got status %d, want %d", status, http.StatusCreated)
	}
	return &reloadUser{jid: u.JID, token: token, received: map[string]bool{}, arrivals: make(chan string, 100_000), loaded: make(chan struct{})}
}

// enoughRequests are what makes a load.
const enoughRequests = 100

// listen reads the event stream until ctx ends; that it ends before is an error.
func (w *reloadWorld) listen(ctx context.Context, u *reloadUser, live chan<- struct{}) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.a.URL()+"/v1/events", nil)
	if err != nil {
		u.streamErr = err
		return
	}
	req.Header.Set("Accept", "application/x-ndjson")
	req.Header.Set("Authorization", "Bearer "+u.token)
	res, err := w.http.Do(req)
	if err != nil {
		u.streamErr = err
		return
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	var last string
	for lines.Scan() {
		last = lines.Text()
		var frame struct {
			ID, Type string
			Data     struct {
				Message struct{ Body string }
				Body    string
			}
		}
		if json.Unmarshal(lines.Bytes(), &frame) != nil {
			continue
		}
		if frame.ID != "" {
			u.cursor = frame.ID
		}
		switch frame.Type {
		case "live":
			live <- struct{}{}
		case "message.received":
			u.arrivals <- frame.Data.Body + frame.Data.Message.Body
			u.heard.Add(1)
		}
	}
	if ctx.Err() == nil {
		u.streamErr = fmt.Errorf("the stream ended: %v; its last frame: %s", lines.Err(), last)
	}
}

// mostUnheard are the messages that may be on their way: a slow machine has a full outbox and slow readers otherwise,
// which the gateway rightly refuses.
const mostUnheard = 100

// work asks and sends until ctx ends; every answer must be a good one.
func (w *reloadWorld) work(ctx context.Context, u, to *reloadUser) {
	pace := time.NewTicker(5 * time.Millisecond) // the rate of one address holds as in production
	defer pace.Stop()
	for i := 0; ctx.Err() == nil; i++ {
		<-pace.C
		if int64(len(u.sent))-to.heard.Load() > mostUnheard {
			continue
		}
		body := fmt.Sprintf("%s %d", u.jid, i)
		for _, x := range []struct {
			method, path string
			body         any
			want         int
		}{
			{http.MethodPost, "/v1/messages", map[string]string{"to": to.jid, "body": body}, http.StatusAccepted},
			{http.MethodGet, "/v1/buddies", nil, http.StatusOK},
			{http.MethodGet, "/v1/session", nil, http.StatusOK},
		} {
			status, text, err := w.call(context.WithoutCancel(ctx), x.method, x.path, u.token, x.body)
			if err != nil || status != x.want {
				w.t.Errorf("%s %s: got status %d, error %v, %s, want %d and none", x.method, x.path, status, err, text, x.want)
				return
			}
			u.answered.Add(1)
			if u.requests++; u.requests == enoughRequests {
				close(u.loaded)
			}
			if x.method == http.MethodPost {
				u.sent = append(u.sent, body)
			}
		}
	}
}

// TestReloadUnderLoad changes certificates, limits, labels and upstreams while two users talk: nothing is dropped,
// no request fails, and what cannot change is named.
func TestReloadUnderLoad(t *testing.T) {
	w := newReloadWorld(t)
	alice, bob := w.server.NewUser(t, "alice"), w.server.NewUser(t, "bob")
	users := []*reloadUser{w.reloadUser(alice), w.reloadUser(bob)}
	listening, endStreams := context.WithCancel(t.Context())
	working, endWork := context.WithCancel(t.Context())
	defer endStreams()
	defer endWork()
	var streams, work sync.WaitGroup
	live := make(chan struct{}, 2)
	for i, u := range users {
		streams.Go(func() { w.listen(listening, u, live) })
		<-live
		work.Go(func() { w.work(working, u, users[1-i]) })
	}

	before := w.serial()
	w.renew()
	done := w.mustReload(func(o *app.Options) {
		o.MaxSessions, o.SessionsPerAccount, o.Streams = 50, 5, 3
		o.TokenRate, o.IPRate = app.Rate{PerSecond: 5000, Burst: 5000}, app.Rate{PerSecond: 5000, Burst: 5000}
		o.Origins = []string{"https://chat.example"}
	})
	for _, want := range []string{"certificate", "max-sessions", "sessions-per-account", "streams", "token-rate", "ip-rate", "origin"} {
		if want != "certificate" && !slices.Contains(done.Changed, want) { // a handshake may have read that first
			t.Errorf("got changed %q, want %q among it", done.Changed, want)
		}
	}
	if got := w.serial(); got == before {
		t.Errorf("after the renewal: got the certificate %s, want another one", got)
	}
	w.changeLimits()
	w.changeUpstreams(alice)
	w.refuseBroken()
	w.nameFixed()

	for i, u := range users {
		select {
		case <-u.loaded:
		case <-time.After(time.Minute):
			t.Errorf("user %d: got fewer than %d answers, want this test to be under load", i, enoughRequests)
		}
	}
	endWork()
	work.Wait()
	for i, u := range users {
		if missing := u.await(users[1-i].sent); missing != "" {
			t.Errorf("user %d: got no message %q, want every one that was accepted", i, missing)
		}
	}
	endStreams()
	streams.Wait()
	for i, u := range users {
		if u.streamErr != nil {
			t.Errorf("the stream of user %d: got error %v, want none", i, u.streamErr)
		}
	}
}

// await waits until all of these have arrived, and returns one that has not.
func (u *reloadUser) await(all []string) (missing string) {
	limit := time.After(30 * time.Second)
	for _, body := range all {
		for !u.received[body] {
			select {
			case arrived := <-u.arrivals:
				u.received[arrived] = true
			case <-limit:
				return body
			}
		}
	}
	return ""
}

func (w *reloadWorld) mustReload(change func(*app.Options)) app.Reloaded {
	w.t.Helper()
	done, err := w.reload(change)
	if err != nil {
		w.t.Fatalf("Reload: got error %v, want none", err)
	}
	return done
}

// changeUpstreams adds one, changes one whose session lives on, and removes the first again.
func (w *reloadWorld) changeUpstreams(inUse testkit.User) {
	w.t.Helper()
	carol := w.server.NewUserAt(w.t, "carol", testkit.ProsodySCRAM)
	if status, _ := w.signIn("second", carol); status != http.StatusUnprocessableEntity {
		w.t.Errorf("signing in at an upstream that is not there: got status %d, want %d", status, http.StatusUnprocessableEntity)
	}
	second := app.Upstream{Name: "second", Domain: testkit.ProsodySCRAM, Address: w.server.Addr, CAFile: w.server.CAFile}
	done := w.mustReload(func(o *app.Options) {
		o.Upstreams = append(o.Upstreams, second)
		o.Upstreams[0].Mechanisms = []string{"PLAIN"}
	})
	if want := []string{"upstream first", "upstream second (added)"}; !slices.Equal(done.Changed, want) {
		w.t.Errorf("got changed %q, want %q", done.Changed, want)
	}
	status, token := w.signIn("second", carol)
	if status != http.StatusCreated {
		w.t.Fatalf("signing in at the upstream that was added: got status %d, want %d", status, http.StatusCreated)
	}
	if status, _ := w.signIn("first", inUse); status != http.StatusOK {
		w.t.Errorf("signing in once more at the upstream that was changed: got status %d, want %d", status, http.StatusOK)
	}
	done = w.mustReload(func(o *app.Options) { o.Upstreams = o.Upstreams[:1] })
	if want := []string{"upstream second (removed)"}; !slices.Equal(done.Changed, want) {
		w.t.Errorf("got changed %q, want %q", done.Changed, want)
	}
	if status, _ := w.signIn("second", w.server.NewUserAt(w.t, "dan", testkit.ProsodySCRAM)); status != http.StatusUnprocessableEntity {
		w.t.Errorf("signing in at the upstream that was removed: got status %d, want %d", status, http.StatusUnprocessableEntity)
	}
	if status, body, err := w.call(w.t.Context(), http.MethodGet, "/v1/session", token, nil); err != nil || status != http.StatusOK || !bytes.Contains(body, []byte(`"online"`)) {
		w.t.Errorf("the session of the upstream that was removed: got status %d, %s, error %v, want it online", status, body, err)
	}
	if done := w.mustReload(func(o *app.Options) { o.Upstreams = append(o.Upstreams, second) }); len(done.Changed) != 1 {
		w.t.Errorf("adding it again: got changed %q, want one", done.Changed)
	}
}

// refuseBroken: of a change with a mistake in it nothing takes effect, and the line says why.
func (w *reloadWorld) refuseBroken() {
	w.t.Helper()
	serial := w.serial()
	empty := filepath.Join(w.t.TempDir(), "empty.pem")
	w.write(empty, []byte("no certificate"))
	for want, change := range map[string]func(*app.Options){
		"--tls-cert":          func(o *app.Options) { o.TLSCert = empty },
		"has no PEM":          func(o *app.Options) { o.Upstreams[0].CAFile = empty },
		"must be exactly":     func(o *app.Options) { o.Origins = []string{"chat.example"} },
		"is configured twice": func(o *app.Options) { o.Upstreams = append(o.Upstreams, o.Upstreams[0]) },
	} {
		lines := len(w.log.String())
		_, err := w.reload(func(o *app.Options) { o.MaxSessions = 1; change(o) })
		if err == nil || !strings.Contains(err.Error(), want) {
			w.t.Errorf("Reload: got error %v, want %q in it", err, want)
		}
		if got := w.log.String()[lines:]; strings.Count(got, "configuration not reloaded") != 1 {
			w.t.Errorf("got the lines %q, want one that says so", got)
		}
	}
	if got := w.serial(); got != serial {
		w.t.Errorf("after changes that were refused: got the certificate %s, want the old %s", got, serial)
	}
	if text := fetch(w.t, "http://"+w.a.AdminAddr()+"/metrics"); !strings.Contains(text, "\nperch_sessions_limit 50\n") {
		w.t.Errorf("after changes that were refused: got another limit, want the one before, 50")
	}
}

// nameFixed: what cannot change is named, and stays; the rest takes effect.
func (w *reloadWorld) nameFixed() {
	w.t.Helper()
	lines := len(w.log.String())
	done := w.mustReload(func(o *app.Options) {
		o.Listen, o.AdminListen, o.Lease, o.TLSCert, o.TLSKey = "127.0.0.1:1", "127.0.0.1:2", time.Hour, "", ""
		o.Retention.Events, o.DefaultUpstream, o.Upstreams[0].Domain = 5, "second", "other.test"
		o.MaxSessions = 60
	})
	want := []string{"listen", "admin-listen", "lease", "retention-events", "tls-cert", "default-upstream", "upstream first (domain or profile)"}
	if !slices.Equal(done.Fixed, want) {
		w.t.Errorf("got %q, want %q", done.Fixed, want)
	}
	if !slices.Contains(done.Changed, "max-sessions") {
		w.t.Errorf("got changed %q, want max-sessions", done.Changed)
	}
	if got := w.log.String()[lines:]; strings.Count(got, "settings have changed that need a restart") != 1 || !strings.Contains(got, "admin-listen") {
		w.t.Errorf("got the lines %q, want one that names them", got)
	}
}
