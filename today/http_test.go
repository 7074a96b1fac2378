package today_test

import (
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/xmpptest"
	"github.com/perch-im/perch/today"
)

// browserPage is a client of a WebSocket (RFC 7395).
type browserPage struct {
	t  *testing.T
	ws *websocket.Conn
}

// dial opens a WebSocket from a page of an origin.
func dial(t *testing.T, s *today.Service, origin, protocol string) (*browserPage, *http.Response, error) {
	t.Helper()
	ws, res, err := websocket.Dial(t.Context(), "ws://"+s.HTTPAddr().String()+"/xmpp-websocket", &websocket.DialOptions{
		Subprotocols: []string{protocol}, HTTPHeader: http.Header{"Origin": {origin}},
	})
	if err != nil {
		return nil, res, err
	}
	t.Cleanup(func() { ws.CloseNow() })
	return &browserPage{t, ws}, res, nil
}

func (p *browserPage) send(text string) {
	p.t.Helper()
	if err := p.ws.Write(p.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		p.t.Fatalf("write: got error %v, want none", err)
	}
}

func (p *browserPage) next() xmpptest.Node {
	p.t.Helper()
	_, b, err := p.ws.Read(p.t.Context())
	if err != nil {
		p.t.Fatalf("read: got error %v, want none", err)
	}
	var n xmpptest.Node
	if err := xml.Unmarshal(b, &n); err != nil {
		p.t.Fatalf("%s: got error %v, want one whole element", b, err)
	}
	return n
}

func (p *browserPage) open() xmpptest.Node {
	p.t.Helper()
	p.send("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='" + today.DefaultDomain + "' version='1.0'/>")
	if n := p.next(); n.XMLName.Local != "open" {
		p.t.Fatalf("got %v, want an open", n)
	}
	return p.next()
}

// TestWebSocket signs in from a page, talks to a client with a socket, and resumes after it was lost.
func TestWebSocket(t *testing.T) {
	s := start(t, world())
	p, _, err := dial(t, s, "http://localhost:5173", "xmpp")
	if err != nil {
		t.Fatalf("dial: got error %v, want none", err)
	}
	features := p.open()
	for _, m := range features.At("mechanisms").Kids {
		if strings.HasSuffix(m.Text, "-PLUS") {
			t.Errorf("got the offer of %s, want none that binds to a TLS that is not ours", m.Text)
		}
	}
	p.send("<auth xmlns='" + nsSASL + "' mechanism='PLAIN'>" + b64("\x00ann\x00"+canary.Mark+"ann") + "</auth>")
	if n := p.next(); n.XMLName.Local != "success" {
		t.Fatalf("got %v, want a success", n)
	}
	p.open()
	p.send("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>page</resource></bind></iq>")
	if n := p.next(); n.At("bind", "jid").Text != at("ann")+"/page" {
		t.Fatalf("got %v, want the resource page", n)
	}
	p.send("<enable xmlns='" + nsSM + "' resume='true'/>")
	id := p.next().Get("id")
	ben := online(t, s, "ben", "desk")
	ben.Send("%s", chat(at("ann")+"/page", "1", "hello"))
	n := p.next()
	if n.XMLName.Space != "jabber:client" || n.At("body").Text != "hello" {
		t.Errorf("got %v, want the message", n)
	}
	p.ws.CloseNow()

	p, _, err = dial(t, s, "http://localhost:5173", "xmpp")
	if err != nil {
		t.Fatalf("dial: got error %v, want none", err)
	}
	p.open()
	p.send("<authenticate xmlns='" + nsSASL2 + "' mechanism='PLAIN'><initial-response>" + b64("\x00ann\x00"+canary.Mark+"ann") +
		"</initial-response><resume xmlns='" + nsSM + "' previd='" + id + "' h='0'/></authenticate>")
	if n := p.next(); n.At("resumed").Get("previd") != id {
		t.Errorf("got %v, want the session resumed", n)
	}
	p.next() // the features
	if n := p.next(); n.At("body").Text != "hello" {
		t.Errorf("got %v, want the message again", n)
	}
	p.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
	for n = p.next(); n.XMLName.Local != "close"; n = p.next() {
		if n.XMLName.Local != "r" {
			t.Errorf("got %v, want the close", n)
		}
	}
	if _, _, err := p.ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("after the close: got %v, want the WebSocket closed with 1000", err)
	}
}

// TestTooManyWebSockets: one more than there may be is told so, and nobody waits for it.
func TestTooManyWebSockets(t *testing.T) {
	o := world()
	o.MaxConnections = 1
	s := start(t, o)
	online(t, s, "ann", "desk")
	p, _, err := dial(t, s, "http://localhost", "xmpp")
	if err != nil {
		t.Fatalf("dial: got error %v, want none", err)
	}
	if _, _, err := p.ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusTryAgainLater {
		t.Errorf("got %v, want a close with 1013", err)
	}
}

// TestSlowWebSocketIsCut: one that is cut by the service does not wait for its client.
func TestSlowWebSocketIsCut(t *testing.T) {
	o := world()
	o.QueueBytes = 10_000
	s := start(t, o)
	p, _, err := dial(t, s, "http://localhost", "xmpp")
	if err != nil {
		t.Fatalf("dial: got error %v, want none", err)
	}
	p.open()
	p.send("<auth xmlns='" + nsSASL + "' mechanism='PLAIN'>" + b64("\x00ann\x00"+canary.Mark+"ann") + "</auth>")
	p.next()
	p.open()
	p.send("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>page</resource></bind></iq>")
	p.next()
	ben := online(t, s, "ben", "desk")
	ben.Send("%s", chat(at("ann")+"/page", "1", strings.Repeat("x", 20_000)))
	ben.Sync()
	if n := s.Stats().Slow; n != 1 {
		t.Errorf("slow: got %d, want 1", n)
	}
	if _, _, err := p.ws.Read(t.Context()); err == nil || websocket.CloseStatus(err) != -1 {
		t.Errorf("got %v, want it cut without a closing handshake", err)
	}
}

// TestWhoMayOpenAWebSocket: pages of this machine, and requests that name it.
func TestWhoMayOpenAWebSocket(t *testing.T) {
	s := start(t, world())
	for origin, want := range map[string]bool{
		"http://localhost:8080": true, "http://127.0.0.1:1": true, "http://[::1]:1": true, "https://perch.localhost": true,
		"https://evil.example": false, "http://localhost.evil.example": false, "http://127.0.0.1.evil.example:1": false, "null": false,
	} {
		p, res, err := dial(t, s, origin, "xmpp")
		if (err == nil) != want {
			t.Errorf("%s: got %v, want it let in: %v", origin, err, want)
		}
		if err != nil && res.StatusCode != http.StatusForbidden {
			t.Errorf("%s: got %d, want 403", origin, res.StatusCode)
		}
		if p != nil {
			p.ws.CloseNow()
		}
	}
	p, _, err := dial(t, s, "http://localhost", "chat")
	if err != nil {
		t.Fatalf("dial: got error %v, want none", err)
	}
	if _, _, err := p.ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("another subprotocol: got %v, want a close with 1008", err)
	}
}

func TestHostMeta(t *testing.T) {
	s := start(t, world())
	for _, tt := range []struct {
		path, host, want string
		status           int
	}{
		{"/.well-known/host-meta", "", "href='ws://" + s.HTTPAddr().String() + "/xmpp-websocket'", 200},
		{"/.well-known/host-meta.json", "", `"href":"ws://` + s.HTTPAddr().String() + `/xmpp-websocket"`, 200},
		{"/.well-known/host-meta.json", "perch.localhost:80", `"href":"ws://perch.localhost:80/xmpp-websocket"`, 200},
		{"/.well-known/host-meta.json", "evil.example", "use localhost", 421},
		{"/xmpp-websocket", "evil.example:80", "use localhost", 421},
		{"/other", "", "", 404},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.HTTPAddr().String()+tt.path, nil)
		if err != nil {
			t.Fatalf("NewRequest: got error %v, want none", err)
		}
		r.Host = tt.host
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatalf("%s: got error %v, want none", tt.path, err)
		}
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != tt.status || !strings.Contains(string(b), tt.want) {
			t.Errorf("%s at %q: got %d %s, want %d with %s", tt.path, tt.host, res.StatusCode, b, tt.status, tt.want)
		}
		if tt.status == 200 && res.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: got no header for pages, want Access-Control-Allow-Origin", tt.path)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
