package today

import (
	"encoding/json"
	"net/http"

	"github.com/perch-im/perch/internal/xmppserver"
)

const (
	webSocketPath = "/xmpp-websocket"
	altWebSocket  = "urn:xmpp:alt-connections:websocket"
)

// localOrigins are pages of this machine, as coder/websocket takes them.
var localOrigins = []string{
	"localhost", "localhost:*", "*.localhost", "*.localhost:*", "127.0.0.1", "127.0.0.1:*", `\[::1\]`, `\[::1\]:*`,
}

// serveWebSocket is XMPP over a WebSocket (RFC 7395), for pages of this machine.
func (s *Service) serveWebSocket(w http.ResponseWriter, r *http.Request) {
	origins := localOrigins
	if s.o.AllowRemote {
		origins = []string{"*"}
	}
	s.srv.ServeWebSocket(w, r, origins...)
}

// hostMeta says where the WebSocket is (XEP-0156).
func (s *Service) hostMeta(w http.ResponseWriter, r *http.Request) {
	b := []byte("<?xml version='1.0' encoding='utf-8'?>\n<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'><Link")
	b = xmppserver.AppendAttr(b, "rel", altWebSocket)
	b = xmppserver.AppendAttr(b, "href", webSocketURL(r))
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Content-Type", "application/xrd+xml")
	_, _ = w.Write(append(b, "/></XRD>\n"...))
}

// hostMetaJSON is hostMeta as JSON.
func (s *Service) hostMetaJSON(w http.ResponseWriter, r *http.Request) {
	type link struct {
		Rel  string `json:"rel"`
		Href string `json:"href"`
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string][]link{"links": {{altWebSocket, webSocketURL(r)}}})
}

// webSocketURL is by the name that the client has used: TLS is not ours here.
func webSocketURL(r *http.Request) string { return "ws://" + r.Host + webSocketPath }
