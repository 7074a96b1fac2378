package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// Opcodes of RFC 6455, 5.2.
const (
	opCont   = 0x0
	opText   = 0x1
	opBinary = 0x2
	opClose  = 0x8
	opPing   = 0x9
	opPong   = 0xA
)

// rawFrame builds one frame byte by byte, right or wrong.
type rawFrame struct {
	op       byte
	payload  string
	notFin   bool
	rsv      byte // 1, 2 or 4: RSV3, RSV2, RSV1
	unmasked bool
	length   int // form of the length: 0 shortest, 2 or 8 bytes
}

func (f rawFrame) bytes() []byte {
	b0 := f.op | f.rsv<<4
	if !f.notFin {
		b0 |= 0x80
	}
	out := []byte{b0}
	mask := byte(0x80)
	if f.unmasked {
		mask = 0
	}
	n := len(f.payload)
	switch {
	case f.length == 8 || f.length == 0 && n > 65535:
		out = binary.BigEndian.AppendUint64(append(out, mask|127), uint64(n))
	case f.length == 2 || f.length == 0 && n > 125:
		out = binary.BigEndian.AppendUint16(append(out, mask|126), uint16(n))
	default:
		out = append(out, mask|byte(n))
	}
	if f.unmasked {
		return append(out, f.payload...)
	}
	key := [4]byte{0x12, 0x9a, 0xf3, 0x07}
	out = append(out, key[:]...)
	for i := range n {
		out = append(out, f.payload[i]^key[i%4])
	}
	return out
}

func text(s string) rawFrame { return rawFrame{op: opText, payload: s} }
func start(op byte, s string) rawFrame {
	return rawFrame{op: op, payload: s, notFin: true}
}
func cont(s string, fin bool) rawFrame { return rawFrame{op: opCont, payload: s, notFin: !fin} }

func closing(code int, reason string) rawFrame {
	return rawFrame{op: opClose, payload: string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason}
}

// rawConn is a WebSocket client that checks nothing on its own side.
type rawConn struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

func (g *gateway) rawDial() net.Conn {
	g.t.Helper()
	dial := (&net.Dialer{}).DialContext
	if g.pipes != nil {
		dial = g.pipes.dial
	}
	c, err := dial(context.Background(), "tcp", g.srv.Listener.Addr().String())
	if err != nil {
		g.t.Fatalf("dial: got error %v, want none", err)
	}
	g.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(5 * time.Minute))
	return c
}

const rawHandshake = "GET /v1/events/ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n"

// raw opens a socket and reads up to live.
func (g *gateway) raw(token string) *rawConn {
	g.t.Helper()
	c := g.rawDial()
	r := &rawConn{g.t, c, bufio.NewReader(c)}
	fmt.Fprintf(c, rawHandshake, g.srv.Listener.Addr(), "Authorization: Bearer "+token+"\r\n")
	res, err := http.ReadResponse(r.r, nil)
	if err != nil {
		g.t.Fatalf("http.ReadResponse: got error %v, want none", err)
	}
	if res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		g.t.Fatalf("handshake: %s, accept %q, want 101 and the accept of the RFC", res.Status, res.Header.Get("Sec-WebSocket-Accept"))
	}
	for {
		op, payload, err := r.read()
		if err != nil {
			g.t.Fatalf("r.read: got error %v, want none", err)
		}
		if op == opText && bytes.Contains(payload, []byte(`"type":"live"`)) {
			return r
		}
	}
}

// read reads one frame of the server and checks what RFC 6455 asks of servers.
func (r *rawConn) read() (op byte, payload []byte, err error) {
	var h [2]byte
	if _, err = io.ReadFull(r.r, h[:]); err != nil {
		return 0, nil, err
	}
	if h[0]&0xF0 != 0x80 || h[1]&0x80 != 0 {
		return 0, nil, fmt.Errorf("server frame % x is fragmented, has RSV bits or a mask", h)
	}
	n := uint64(h[1])
	switch n {
	case 126:
		var l [2]byte
		_, err = io.ReadFull(r.r, l[:])
		n = uint64(binary.BigEndian.Uint16(l[:]))
	case 127:
		var l [8]byte
		_, err = io.ReadFull(r.r, l[:])
		n = binary.BigEndian.Uint64(l[:])
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(r.r, payload)
	return h[0] & 0xF, payload, err
}

// until sends chunks and reads to the end of the connection. It returns what the server
// said, in short: replies by their ref, errors by their code, pongs, and the close code
// (0 when the close frame has none, -1 when there was no close frame).
func (r *rawConn) until(stop func(said []string) bool) (said []string, code int) {
	r.t.Helper()
	for {
		op, payload, err := r.read()
		if err != nil {
			return said, -1
		}
		switch op {
		case opText:
			describedFrame(r.t, payload)
			var e envelope
			if err := json.Unmarshal(payload, &e); err != nil {
				r.t.Fatalf("got %v in %q, want JSON", err, payload)
			}
			switch {
			case e.Type == "reply":
				said = append(said, "reply "+e.Ref)
			case e.Type == "error":
				said = append(said, "error "+e.Error.Code)
			}
		case opPong:
			said = append(said, "pong "+string(payload))
		case opClose:
			if len(payload) >= 2 {
				code = int(binary.BigEndian.Uint16(payload))
			}
			return said, code
		default:
			r.t.Fatalf("got opcode %x from the server, want text, pong or close", op)
		}
		if stop != nil && stop(said) {
			return said, -2
		}
	}
}

// rawCase is one line of the table: frames to send, what is said, how it ends.
type rawCase struct {
	name string
	send []any // rawFrame, or []byte as they are
	say  string
	code int // of the close frame; open: the connection stays; nothing: it ends without one
}

const (
	stays   = -2 // open
	nothing = -1
)

const pingCommand = `{"id":"p","type":"ping"}`

// rawCases are those of all sections.
func rawCases() []rawCase {
	return slices.Concat(rawFraming(), rawFragments(), rawText(), rawClosing())
}

// pingOf is a ping command of exactly n bytes.
func pingOf(n int) string {
	return pingCommand[:len(pingCommand)-1] + strings.Repeat(" ", n-len(pingCommand)) + "}"
}

// rawFraming is RFC 6455, 5.2: base framing.
func rawFraming() []rawCase {
	cases := []rawCase{
		{"one frame", []any{text(pingCommand)}, "reply p", stays},
		{"two commands in one segment", []any{append(text(pingCommand).bytes(), text(pingCommand).bytes()...)}, "reply p,reply p", stays},
		{"payload of 125", []any{text(pingOf(125))}, "reply p", stays},
		{"payload of 126", []any{text(pingOf(126))}, "reply p", stays},
		{"payload of 127", []any{text(pingOf(127))}, "reply p", stays},
		{"payload of 65535", []any{text(pingOf(65535))}, "reply p", stays},
		{"payload of 65536, the limit", []any{text(pingOf(65536))}, "reply p", stays},
		{"payload of 65537, too big", []any{text(pingOf(65537))}, "", 1009},
		{"fragments of 65537 in all", []any{start(opText, pingOf(65537)[:40000]), cont(pingOf(65537)[40000:], true)}, "", 1009},
		{"16-bit length that 7 bits could hold", []any{rawFrame{op: opText, payload: pingCommand, length: 2}}, "reply p", stays},
		{"64-bit length that 7 bits could hold", []any{rawFrame{op: opText, payload: pingCommand, length: 8}}, "reply p", stays},
		{"64-bit length with the first bit", []any{[]byte{0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4}}, "", 1002},
		{"not masked", []any{rawFrame{op: opText, payload: pingCommand, unmasked: true}}, "", 1002},
		{"ping not masked", []any{rawFrame{op: opPing, unmasked: true}}, "", 1002},
		{"RSV1 without an extension", []any{rawFrame{op: opText, payload: pingCommand, rsv: 4}}, "", 1002},
		{"RSV2", []any{rawFrame{op: opText, payload: pingCommand, rsv: 2}}, "", 1002},
		{"RSV3", []any{rawFrame{op: opText, payload: pingCommand, rsv: 1}}, "", 1002},
		{"all RSV bits on a ping", []any{rawFrame{op: opPing, rsv: 7}}, "", 1002},
		{"RSV1 on a continuation", []any{start(opText, pingCommand), rawFrame{op: opCont, rsv: 4}}, "", 1002},
		{"violation with more after it", []any{rawFrame{op: 3}, text(pingOf(65536)), text(pingOf(65536)), text(pingOf(65536))}, "", 1002},
		{"empty text", []any{text("")}, "error malformed-json", stays},
		{"binary", []any{rawFrame{op: opBinary, payload: pingCommand}}, "", 1003},
		{"binary in fragments", []any{start(opBinary, "a"), cont("b", true)}, "", 1003},
		{"empty binary", []any{rawFrame{op: opBinary}}, "", 1003},
	}
	for _, op := range []byte{3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF} {
		cases = append(cases, rawCase{fmt.Sprintf("reserved opcode %X", op), []any{rawFrame{op: op}}, "", 1002})
	}
	return cases
}

// rawFragments are RFC 6455, 5.4 and 5.5: fragmentation, and the control frames.
func rawFragments() []rawCase {
	return []rawCase{
		{"two fragments", []any{start(opText, pingCommand[:5]), cont(pingCommand[5:], true)}, "reply p", stays},
		{"three fragments", []any{start(opText, pingCommand[:5]), cont(pingCommand[5:9], false), cont(pingCommand[9:], true)}, "reply p", stays},
		{"empty first fragment", []any{start(opText, ""), cont(pingCommand, true)}, "reply p", stays},
		{"empty last fragment", []any{start(opText, pingCommand), cont("", true)}, "reply p", stays},
		{"empty fragment between", []any{start(opText, pingCommand[:5]), cont("", false), cont(pingCommand[5:], true)}, "reply p", stays},
		{"ping between fragments", []any{start(opText, pingCommand[:5]), rawFrame{op: opPing, payload: "x"}, cont(pingCommand[5:], true)}, "pong x,reply p", stays},
		{"pong between fragments", []any{start(opText, pingCommand[:5]), rawFrame{op: opPong, payload: "x"}, cont(pingCommand[5:], true)}, "reply p", stays},
		{"close between fragments", []any{start(opText, pingCommand[:5]), closing(1000, "")}, "", 1000},
		{"continuation of nothing", []any{cont(pingCommand, true)}, "", 1002},
		{"unfinished continuation of nothing", []any{cont(pingCommand, false)}, "", 1002},
		{"continuation after the last", []any{text(`{"type":"ping"}`), cont("x", true)}, "", 1002},
		{"text within a text", []any{start(opText, "{"), text(pingCommand)}, "", 1002},
		{"binary within a text", []any{start(opText, "{"), rawFrame{op: opBinary, payload: "x"}}, "", 1002},
		{"second start within a text", []any{start(opText, "{"), start(opText, "}")}, "", 1002},
		{"ping", []any{rawFrame{op: opPing}}, "pong ", stays},
		{"ping with data", []any{rawFrame{op: opPing, payload: "hello"}}, "pong hello", stays},
		{"ping with bytes that are no text", []any{rawFrame{op: opPing, payload: "\x00\xff"}}, "pong \x00\xff", stays},
		{"ping of 125", []any{rawFrame{op: opPing, payload: strings.Repeat("a", 125)}}, "pong " + strings.Repeat("a", 125), stays},
		{"ping of 126", []any{rawFrame{op: opPing, payload: strings.Repeat("a", 126)}}, "", 1002},
		{"ping in fragments", []any{start(opPing, "a")}, "", 1002},
		{"three pings", []any{rawFrame{op: opPing, payload: "1"}, rawFrame{op: opPing, payload: "2"}, rawFrame{op: opPing, payload: "3"}}, "pong 1,pong 2,pong 3", stays},
		{"unsolicited pong", []any{rawFrame{op: opPong, payload: "x"}, text(pingCommand)}, "reply p", stays},
		{"pong of 126", []any{rawFrame{op: opPong, payload: strings.Repeat("a", 126)}}, "", 1002},
		{"pong in fragments", []any{start(opPong, "a")}, "", 1002},
		{"close of 126", []any{closing(1000, strings.Repeat("a", 124))}, "", 1002},
		{"close in fragments", []any{start(opClose, "\x03\xe8")}, "", 1002},
	}
}

// rawText is RFC 6455, 5.6 and 8.1: text is UTF-8.
func rawText() []rawCase {
	return []rawCase{
		{"two, three and four bytes", []any{text(`{"id":"p","type":"ping","data":{}}`), text(`{"type":"ä€😀"}`)}, "reply p,error validation", stays},
		{"cut within a character", []any{start(opText, "{\"type\":\"\xe2\x82"), cont("\xac\"}", true)}, "error validation", stays},
		{"lone continuation byte", []any{text("\"\x80\"")}, "", 1007},
		{"overlong slash", []any{text("\"\xc0\xaf\"")}, "", 1007},
		{"overlong NUL", []any{text("\"\xe0\x80\x80\"")}, "", 1007},
		{"surrogate", []any{text("\"\xed\xa0\x80\"")}, "", 1007},
		{"beyond U+10FFFF", []any{text("\"\xf4\x90\x80\x80\"")}, "", 1007},
		{"five-byte form", []any{text("\"\xf8\x88\x80\x80\x80\"")}, "", 1007},
		{"FE", []any{text("\"\xfe\"")}, "", 1007},
		{"FF", []any{text("\"\xff\"")}, "", 1007},
		{"character that does not end", []any{text("\"\xe2\x82")}, "", 1007},
		{"wrong in the second fragment", []any{start(opText, `{"type":"`), cont("\xff\"}", true)}, "", 1007},
		{"Latin-1", []any{text("{\"type\":\"\xe4\"}")}, "", 1007},
	}
}

// rawClosing is RFC 6455, 5.5.1 and 7.
func rawClosing() []rawCase {
	cases := []rawCase{
		{"close without a code", []any{rawFrame{op: opClose}}, "", 0},
		{"close with a reason", []any{closing(1000, "bye")}, "", 1000},
		{"close with a reason of 123", []any{closing(1000, strings.Repeat("a", 123))}, "", 1000},
		{"close with half a code", []any{rawFrame{op: opClose, payload: "\x03"}}, "", 1002},
		{"command after close", []any{closing(1000, ""), text(pingCommand)}, "", 1000},
		{"ping after close", []any{closing(1001, ""), rawFrame{op: opPing}}, "", 1001},
		{"close twice", []any{closing(1000, ""), closing(1000, "")}, "", 1000},
		{"command before close", []any{text(`{"type":"ping"}`), closing(1000, "")}, "", 1000},
		{"reason that is not UTF-8", []any{closing(1000, "\xff")}, "", 1000}, // echoed; the peer spoke last anyway
		{"end without a close", []any{"end"}, "", nothing},
		{"end within a frame", []any{text(pingCommand).bytes()[:9], "end"}, "", nothing},
	}
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		cases = append(cases, rawCase{fmt.Sprintf("close with %d", code), []any{closing(code, "")}, "", code})
	}
	for _, code := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		cases = append(cases, rawCase{fmt.Sprintf("close with %d, which must not be sent", code), []any{closing(code, "")}, "", 1002})
	}
	return cases
}

func TestWebSocketRFC6455(t *testing.T) {
	g := newGateway(t, func(o *gatewayOptions) { o.StreamsPerToken = 1000 })
	g.open("tok-alice")
	for _, c := range rawCases() {
		t.Run(c.name, func(t *testing.T) {
			r := g.raw("tok-alice")
			r.t = t
			for _, s := range c.send {
				switch s := s.(type) {
				case rawFrame:
					_, _ = r.conn.Write(s.bytes()) // the server may have closed already
				case []byte:
					_, _ = r.conn.Write(s)
				case string:
					_ = r.conn.(*net.TCPConn).CloseWrite()
				}
			}
			var stop func([]string) bool
			if c.code == stays {
				stop = func(said []string) bool { return strings.Join(said, ",") == c.say }
			}
			said, code := r.until(stop)
			if got := strings.Join(said, ","); got != c.say || code != c.code {
				t.Fatalf("said %q and closed with %d, want %q and %d", got, code, c.say, c.code)
			}
			if c.code != stays {
				if n, err := io.Copy(io.Discard, r.r); err != nil || n > 0 {
					t.Fatalf("after the close: %d bytes, %v; want a clean end", n, err)
				}
			}
		})
	}
}

// TestWebSocketByteByByte sends a handshake and a command one byte at a time.
func TestWebSocketByteByByte(t *testing.T) {
	g := newGateway(t)
	g.open("tok-alice")
	r := g.raw("tok-alice")
	for _, b := range text(pingCommand).bytes() {
		if _, err := r.conn.Write([]byte{b}); err != nil {
			t.Fatalf("r.conn.Write: got error %v, want none", err)
		}
	}
	if said, _ := r.until(func(said []string) bool { return len(said) == 1 }); said[0] != "reply p" {
		t.Fatalf("got %q, want \"reply p\"", said)
	}
}

func TestWebSocketHandshake(t *testing.T) {
	g := newGateway(t)
	g.open("tok-alice")
	auth := "Authorization: Bearer tok-alice\r\n"
	base := rawHandshake
	without := func(header string) string {
		var keep []string
		for line := range strings.SplitSeq(strings.TrimSuffix(base, "%s\r\n"), "\r\n") {
			if !strings.HasPrefix(line, header) {
				keep = append(keep, line)
			}
		}
		return strings.Join(keep, "\r\n") + "%s\r\n"
	}
	for _, c := range []struct {
		name, request, extra string
		status               int
		header, value        string
	}{
		{"as it should be", base, auth, 101, "Sec-Websocket-Protocol", ""},
		{"with the subprotocol", base, auth + "Sec-WebSocket-Protocol: perch.v1\r\n", 101, "Sec-Websocket-Protocol", "perch.v1"},
		{"with a subprotocol of tomorrow", base, auth + "Sec-WebSocket-Protocol: perch.v2, perch.v1\r\n", 101, "Sec-Websocket-Protocol", "perch.v1"},
		{"with a foreign subprotocol only", base, auth + "Sec-WebSocket-Protocol: soap\r\n", 101, "Sec-Websocket-Protocol", ""},
		{"compression offered", base, auth + "Sec-WebSocket-Extensions: permessage-deflate\r\n", 101, "Sec-Websocket-Extensions", ""},
		{"Connection with more tokens", strings.Replace(base, "Connection: Upgrade", "Connection: keep-alive, upgrade", 1), auth, 101, "Upgrade", "websocket"},
		{"Upgrade in capitals", strings.Replace(base, "Upgrade: websocket", "Upgrade: WebSocket", 1), auth, 101, "Upgrade", "websocket"},
		{"no Connection", without("Connection"), auth, 426, "Upgrade", "websocket"},
		{"no Upgrade", without("Upgrade"), auth, 426, "Upgrade", "websocket"},
		{"Upgrade to something else", strings.Replace(base, "Upgrade: websocket", "Upgrade: h2c", 1), auth, 426, "Upgrade", "websocket"},
		{"no key", without("Sec-WebSocket-Key"), auth, 426, "Upgrade", "websocket"},
		{"short key", strings.Replace(base, "dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=", 1), auth, 426, "Upgrade", "websocket"},
		{"two keys", base, auth + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 426, "Upgrade", "websocket"},
		{"version 8", strings.Replace(base, "Version: 13", "Version: 8", 1), auth, 426, "Sec-Websocket-Version", "13"},
		{"no version", without("Sec-WebSocket-Version"), auth, 426, "Sec-Websocket-Version", "13"},
		{"POST", strings.Replace(base, "GET ", "POST ", 1), auth + "Content-Length: 0\r\n", 405, "Allow", "GET"},
		{"HTTP/1.0", strings.Replace(base, "HTTP/1.1", "HTTP/1.0", 1), auth, 426, "Upgrade", "websocket"},
		{"no token", base, "", 401, "Www-Authenticate", `Bearer realm="perch"`},
		{"token that is refused", base, "Authorization: Bearer bad-token\r\n", 401, "Www-Authenticate", `Bearer realm="perch", error="invalid_token"`},
		{"unknown type", strings.Replace(base, "/ws", "/ws?types=nope", 1), auth, 422, "Content-Type", "application/problem+json"},
		{"unknown parameter", strings.Replace(base, "/ws", "/ws?sinse=x", 1), auth, 422, "Content-Type", "application/problem+json"},
		{"token in the URL", strings.Replace(base, "/ws", "/ws?token=tok-alice", 1), "", 401, "Content-Type", "application/problem+json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := g.rawDial()
			fmt.Fprintf(conn, c.request, g.srv.Listener.Addr(), c.extra)
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("http.ReadResponse: got error %v, want none", err)
			}
			defer res.Body.Close()
			if res.StatusCode != c.status || res.Header.Get(c.header) != c.value {
				t.Errorf("status %d, %s %q; want %d and %q", res.StatusCode, c.header, res.Header.Get(c.header), c.status, c.value)
			}
			if c.status != 101 && res.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("type %q, want application/problem+json", res.Header.Get("Content-Type"))
			}
		})
	}
}

// TestPlainGetOnSocketPath is 426 with and without a token, and names the protocol to use.
func TestPlainGetOnSocketPath(t *testing.T) {
	g := newGateway(t)
	for _, token := range []string{"", "tok-alice", "bad-token"} {
		res, body := g.get("/v1/events/ws", token, nil)
		if res.StatusCode != http.StatusUpgradeRequired || res.Header.Get("Upgrade") != "websocket" ||
			!strings.Contains(string(body), `"code":"upgrade-required"`) || !strings.Contains(string(body), "/v1/events ") {
			t.Errorf("token %q: %d, Upgrade %q: %s, want 426, websocket, and the address for HTTP", token, res.StatusCode, res.Header.Get("Upgrade"), body)
		}
	}
	if dials := g.up.Dials(); len(dials) > 0 {
		t.Errorf("a plain GET signed in %d times, want none", len(dials))
	}
}
