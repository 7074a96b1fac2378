package xmppconn

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// pki is an authority of the tests and what it signs. The validity covers the clock of
// synctest, which starts in 2000, and the real one.
type pki struct {
	pool *x509.CertPool
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

var testPKI = sync.OnceValue(func() *pki {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	cert, _ := x509.ParseCertificate(der)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &pki{pool, cert, key}
})

// issue makes a certificate for names; a change may spoil it.
func (p *pki) issue(change func(*x509.Certificate), names ...string) tls.Certificate {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: p.cert.NotBefore, NotAfter: p.cert.NotAfter, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(tmpl)
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, p.cert, &key.PublicKey, p.key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Most scripts present this certificate.
var testCert = sync.OnceValue(func() tls.Certificate { return testPKI().issue(nil, "a.test") })

// fakeNetwork is a network of pipes: names, and a script for each host:port that is dialled. It
// lives inside of a synctest bubble.
type fakeNetwork struct {
	t       *testing.T
	d       *Dialer
	srv     map[string][]*net.SRV // by service, such as "xmpp-client"
	scripts map[string]func(*fakeServer)
	wg      sync.WaitGroup
	parks   bool // readers are parked after a second of silence

	mu     sync.Mutex
	names  map[string]netip.Addr
	dialed []string
	conns  []net.Conn
	socket *peekConn // of the newest connection, if readers are parked
}

const testToken = canary.Mark + "EwAwAq1DBAAUGCCXc8wU/zFu9QnLdZXy+Zz=="

var tokenAccount = perch.Account{Token: perch.NewSecret(testToken)}

func init() { canary.Note(testToken) }

// messengerUp needs no question after bind, so scripts stay short.
func messengerUp() Upstream {
	return Upstream{Name: "test", Domain: "a.test", Address: "xmpp.a.test:5222", Profile: ProfileMessenger, RootCAs: testPKI().pool}
}

func newFakeNetwork(t *testing.T, up Upstream) *fakeNetwork {
	t.Helper()
	w := &fakeNetwork{t: t, srv: map[string][]*net.SRV{}, scripts: map[string]func(*fakeServer){}, names: map[string]netip.Addr{}}
	up.Resolver = w
	d, err := NewDialer(up, Options{Logger: canary.Logger()})
	if err != nil {
		t.Fatalf("NewDialer(): got error %v, want none", err)
	}
	d.dialTCP = w.dialTCP
	w.d = d
	t.Cleanup(func() {
		w.mu.Lock()
		for _, c := range w.conns {
			_ = c.Close()
		}
		w.mu.Unlock()
		w.wg.Wait()
	})
	return w
}

// serve says what happens at host:port.
func (w *fakeNetwork) serve(hostport string, script func(*fakeServer)) { w.scripts[hostport] = script }

func (w *fakeNetwork) LookupSRV(_ context.Context, service, _, name string) (string, []*net.SRV, error) {
	if r, ok := w.srv[service]; ok {
		return name, r, nil
	}
	return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// LookupNetIP gives each name an address of its own, which dialTCP takes back to the name.
func (w *fakeNetwork) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.names[host]; !ok {
		w.names[host] = netip.AddrFrom4([4]byte{192, 0, 2, byte(len(w.names) + 1)})
	}
	return []netip.Addr{w.names[host]}, nil
}

func (w *fakeNetwork) dialTCP(ctx context.Context, _, address string) (net.Conn, error) {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	host := ap.Addr().String()
	for name, ip := range w.names {
		if ip == ap.Addr() {
			host = name
		}
	}
	hostport := net.JoinHostPort(host, fmt.Sprint(ap.Port()))
	w.dialed = append(w.dialed, hostport)
	script := w.scripts[hostport]
	if script == nil {
		return nil, syscall.ECONNREFUSED
	}
	var ours, theirs net.Conn
	ours, theirs = net.Pipe()
	w.conns = append(w.conns, theirs)
	if w.parks {
		w.socket = newPeekConn(ours)
		ours = w.socket
	}
	w.wg.Go(func() {
		p := &fakeServer{t: w.t, conn: theirs, cert: testCert()}
		p.fr = xmlstream.NewFramer(theirs, xmlstream.DefaultLimits())
		defer func() { _ = p.conn.Close() }()
		defer func() {
			if r := recover(); r != nil && r != errClientGone {
				panic(r)
			}
		}()
		script(p)
	})
	return ours, nil
}

// errPeerGone ends a script whose client has hung up. Whether that was right is for the test to
// say, on the client's side.
var errClientGone = errors.New("the client has gone")

// fakeServer is the side of the server of one connection, in a script.
type fakeServer struct {
	t      *testing.T
	conn   net.Conn
	fr     *xmlstream.Framer
	cert   tls.Certificate
	minTLS uint16
	lastTo string // of the client's last stream header, as lastFrom
	state  tls.ConnectionState

	lastFrom string
}

func (p *fakeServer) send(s string) {
	if _, err := p.conn.Write([]byte(s)); err != nil {
		panic(errClientGone)
	}
}

// frame returns the next frame of the client as text.
func (p *fakeServer) frame() (xmlstream.Frame, string) {
	f, err := p.fr.Next()
	if err != nil {
		panic(errClientGone)
	}
	return f, string(f.Raw)
}

// next returns the client's next element.
func (p *fakeServer) next() *xmlstream.Element {
	f, raw := p.frame()
	if f.Kind == xmlstream.KindEnd {
		panic(errClientGone)
	}
	if f.Kind != xmlstream.KindElement {
		p.t.Errorf("the client sent frame kind %d: got %s, want Kind %v", f.Kind, raw, xmlstream.KindElement)
		panic(errClientGone)
	}
	el, err := f.Parse()
	if err != nil {
		p.t.Errorf("the client sent %q: got %v, want no error", raw, err)
		panic(errClientGone)
	}
	return el
}

// expect is next for an element that must have this name.
func (p *fakeServer) expect(space, local string) *xmlstream.Element {
	el := p.next()
	if !el.Is(space, local) {
		p.t.Errorf("the client sent <%s xmlns=%q>, want <%s xmlns=%q>", el.Local(), el.Space(), local, space)
		panic(errClientGone)
	}
	return el
}

// raw returns the client's next element as it was written.
func (p *fakeServer) raw() string {
	_, raw := p.frame()
	return strings.Clone(raw)
}

// header reads the client's stream header.
func (p *fakeServer) header() {
	f, _ := p.frame()
	if f.Kind != xmlstream.KindHeader {
		p.t.Errorf("the client sent no stream header but kind %d, want Kind %v", f.Kind, xmlstream.KindHeader)
		panic(errClientGone)
	}
	p.lastTo, p.lastFrom = f.Header.To, f.Header.From
	if _, encrypted := p.conn.(*tls.Conn); !encrypted && f.Header.From != "" {
		p.t.Errorf("the client shows who it is outside of TLS: from=%q, want From none", f.Header.From)
	}
}

// open answers a stream header with one and with features.
func (p *fakeServer) open(features string) {
	p.fr.Reset(p.conn)
	p.header()
	p.send(streamtest.Header + "<stream:features>" + features + "</stream:features>")
}

const (
	offerTLS  = "<starttls xmlns='" + nsTLS + "'><required/></starttls>"
	offerBind = "<bind xmlns='" + nsBind + "'/>"
)

func offerSASL(names ...string) string {
	return "<mechanisms xmlns='" + nsSASL + "'><mechanism>" + strings.Join(names, "</mechanism><mechanism>") + "</mechanism></mechanisms>"
}

// startTLS is the first stream, up to the handshake.
func (p *fakeServer) startTLS() {
	p.open(offerTLS)
	p.expect(nsTLS, "starttls")
	p.send("<proceed xmlns='" + nsTLS + "'/>")
	p.handshake()
}

func (p *fakeServer) handshake() {
	// No session tickets: the server would write them while the client writes, too, and a
	// pipe has no room.
	tc := tls.Server(p.conn, &tls.Config{
		Certificates: []tls.Certificate{p.cert}, ClientAuth: tls.RequestClientCert, SessionTicketsDisabled: true, NextProtos: []string{"xmpp-client"},
		MinVersion: tls.VersionTLS10, MaxVersion: p.minTLS,
	})
	if err := tc.Handshake(); err != nil {
		panic(errClientGone)
	}
	p.state = tc.ConnectionState()
	p.conn = tc
	p.fr.Reset(tc)
}

const saslSuccess = "<success xmlns='" + nsSASL + "'/>"

// authenticate is the second stream, up to success. It returns the text of <auth/>.
func (p *fakeServer) authenticate() string {
	p.open(offerSASL("X-MESSENGER-OAUTH2 ")) // with the blank that the service printed
	text := p.expect(nsSASL, "auth").Text()
	p.send(saslSuccess)
	return text
}

// bind answers the client's bind with a JID.
func (p *fakeServer) bind(jid string) *xmlstream.Element {
	iq := p.expect(nsClient, "iq")
	p.result(iq, "<bind xmlns='"+nsBind+"'><jid>"+jid+"</jid></bind>")
	return iq
}

func (p *fakeServer) result(iq *xmlstream.Element, payload string) {
	p.send("<iq type='result' id='" + iq.Attr("id") + "'>" + payload + "</iq>")
}

// login is all of it, for the Messenger profile.
func (p *fakeServer) login() {
	p.startTLS()
	p.authenticate()
	p.open(offerBind)
	p.bind(string(testSelf))
}

// drain reads until the client hangs up.
func (p *fakeServer) drain() {
	for {
		p.frame()
	}
}

// rest reads until the client hangs up and returns what came as it was written.
func (p *fakeServer) rest() string {
	all, _ := io.ReadAll(p.conn)
	return string(all)
}

// silence reads until the client hangs up, which it must do without another element.
func (p *fakeServer) silence() {
	for {
		if f, raw := p.frame(); f.Kind == xmlstream.KindElement {
			p.t.Errorf("got %s from the client, want the end of the connection", raw)
		}
	}
}

// recorder is a session that records what is delivered to it.
type recorder struct {
	mu  sync.Mutex
	in  []perch.Inbound
	seq []uint64
}

func (b *recorder) sink(seq uint64, in perch.Inbound) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.in, b.seq = append(b.in, in), append(b.seq, seq)
}

// take returns what came since the last take, once everything is at rest.
func (b *recorder) take() []perch.Inbound {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	in := b.in
	b.in = nil
	return in
}

// dial signs in with the token account, or fails the test.
func (w *fakeNetwork) dial() *Conn {
	w.t.Helper()
	c, err := w.d.Dial(context.Background(), tokenAccount, nil)
	if err != nil {
		w.t.Fatalf("w.d.Dial(): got error %v, want none", err)
	}
	w.t.Cleanup(func() {
		c.Abort()
		_ = c.join(context.Background())
	})
	return c
}

// online signs in, starts, and returns the connection, its session and the server's side,
// whose script reads nothing by itself.
func online(t *testing.T, up Upstream) (*fakeNetwork, *Conn, *recorder, *fakeServer) {
	t.Helper()
	w := newFakeNetwork(t, up)
	c, b, p := w.online(func() {})
	return w, c, b, p
}

// online signs in and starts; ended is for Start.
func (w *fakeNetwork) online(ended func()) (*Conn, *recorder, *fakeServer) {
	w.t.Helper()
	ready := make(chan *fakeServer, 1)
	hold := make(chan struct{})
	w.t.Cleanup(func() { close(hold) })
	w.serve("xmpp.a.test:5222", func(p *fakeServer) {
		p.login()
		ready <- p
		<-hold
	})
	c := w.dial()
	b := &recorder{}
	c.Start(b.sink, ended)
	return c, b, <-ready
}

// dialError signs in, which must fail with a kind.
func (w *fakeNetwork) dialError(kind perch.Kind) error {
	w.t.Helper()
	c, err := w.d.Dial(context.Background(), tokenAccount, nil)
	if err == nil {
		c.Abort()
		w.t.Fatalf("signed in as %s, want %s", c.Login().JID, kind)
	}
	if perch.KindOf(err) != kind {
		w.t.Fatalf("kind %s, want %s: %v", perch.KindOf(err), kind, err)
	}
	return err
}
