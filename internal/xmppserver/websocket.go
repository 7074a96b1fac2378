package xmppserver

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/coder/websocket"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/stream"
)

// ServeWebSocket serves XMPP over a WebSocket (RFC 7395) and returns when it is over. TLS is the
// business of the listener; origins are host patterns as coder/websocket takes them, beside that of the
// request itself.
func (s *Server) ServeWebSocket(w http.ResponseWriter, r *http.Request, origins ...string) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{"xmpp"}, OriginPatterns: origins, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return // Accept has answered
	}
	if ws.Subprotocol() != "xmpp" {
		_ = ws.Close(websocket.StatusPolicyViolation, "the subprotocol is xmpp (RFC 7395)")
		return
	}
	ws.SetReadLimit(maxStanza)
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	c := newConn(s, webSocket{websocket.NetConn(ctx, ws, websocket.MessageText), ws})
	c.framed = true
	over := make(chan struct{})
	c.closing = func() {
		defer close(over)
		if !c.Lost() {
			_ = ws.Close(websocket.StatusNormalClosure, "") // RFC 7395, 3.6
		}
	}
	if !s.serve(c) {
		_ = ws.Close(websocket.StatusTryAgainLater, "too many connections")
		return
	}
	<-over
}

// webSocket is one whose Close cuts it: the closing handshake of the library's own would wait for the
// client, under whatever lock it is cut.
type webSocket struct {
	net.Conn
	ws *websocket.Conn
}

func (s webSocket) Close() error { return s.ws.CloseNow() }

// openFramed reads <open/> and answers with ours (RFC 7395, 3.4).
func (c *Conn) openFramed() error {
	start, err := nextStart(c.xml, true)
	if err != nil {
		return err
	}
	e, err := readElement(c.xml, start, 1)
	if err != nil {
		return err
	}
	b := AppendAttr([]byte("<open"), "xmlns", NSFraming)
	b = AppendAttr(b, "version", "1.0")
	b = AppendAttr(b, "xml:lang", "en")
	b = AppendAttr(b, "id", streamID())
	c.Write(append(AppendAttr(b, "from", c.srv.o.Domain), "/>"...))
	c.opened = true
	switch {
	case e.Name.Space != NSFraming || e.Name.Local != "open":
		return stream.InvalidNamespace
	case e.Get("version") != "1.0":
		return stream.UnsupportedVersion
	case !strings.EqualFold(e.Get("to"), c.srv.o.Domain):
		return stream.HostUnknown
	}
	return c.named(e.Get("from"))
}

// named takes the from of <open/> (RFC 7395, 3.4).
func (c *Conn) named(from string) (err error) {
	if c.from = (jid.JID{}); from == "" {
		return nil
	}
	if c.from, err = jid.Parse(from); err != nil {
		return stream.ImproperAddressing
	}
	return nil
}

// frame makes an element stand for itself (RFC 7395, 3.3.3): what a stream header would declare, the
// element does. Elements of other namespaces bring their own.
func frame(b []byte) []byte {
	end := bytes.IndexAny(b, " />")
	if end < 1 {
		return b
	}
	name, ns := string(b[1:end]), ""
	switch {
	case strings.HasPrefix(name, "stream:"):
		ns = " xmlns:stream='" + NSStream + "'"
	case name == "iq" || name == "message" || name == "presence":
		ns = " xmlns='" + NSClient + "'"
	default:
		return b
	}
	framed := make([]byte, 0, len(b)+len(ns))
	framed = append(append(framed, b[:end]...), ns...)
	return append(framed, b[end:]...)
}
