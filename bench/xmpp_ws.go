package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/coder/websocket"
)

// xmppSocket is a client of the server's own WebSocket (RFC 7395): what a web client has
// without a gateway. Every frame is one element.
type xmppSocket struct{ ws *websocket.Conn }

// openXMPP signs in with PLAIN and binds a resource. It shows no presence yet.
func openXMPP(ctx context.Context, addr, jid, password, resource string) (s *xmppSocket, err error) {
	ws, resp, err := websocket.Dial(ctx, "ws://"+addr+"/xmpp-websocket", &websocket.DialOptions{
		Host: "localhost", Subprotocols: []string{"xmpp"},
	})
	if err != nil {
		return nil, err
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	ws.SetReadLimit(1 << 20)
	s = &xmppSocket{ws}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("sign in of %s over WebSocket: %w", jid, err), s.close())
		}
	}()
	local, domain, _ := strings.Cut(jid, "@")
	open := "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='" + domain + "' version='1.0'/>"
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + local + "\x00" + password))
	for _, step := range []struct{ send, want string }{
		{open, "PLAIN"},
		{"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + plain + "</auth>", "<success"},
		{open, "xmpp-bind"},
		{"<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>" + resource + "</resource></bind></iq>", "/" + resource + "<"},
	} {
		if err := s.write(ctx, step.send); err != nil {
			return nil, err
		}
		if err := s.until(ctx, step.want); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// available shows presence with priority 0, and waits until the server has taken it.
func (s *xmppSocket) available(ctx context.Context) error {
	return errors.Join(
		s.write(ctx, "<presence xmlns='jabber:client'/>"),
		s.write(ctx, "<iq xmlns='jabber:client' type='get' id='available'><ping xmlns='urn:xmpp:ping'/></iq>"),
		s.until(ctx, "available"),
	)
}

func (s *xmppSocket) write(ctx context.Context, element string) error {
	return s.ws.Write(ctx, websocket.MessageText, []byte(element))
}

// until reads up to the frame with the text.
func (s *xmppSocket) until(ctx context.Context, text string) error {
	for {
		_, frame, err := s.ws.Read(ctx)
		if err != nil {
			return fmt.Errorf("waiting for %q: %w", text, err)
		}
		if bytes.Contains(frame, []byte("<failure")) || bytes.Contains(frame, []byte("<stream:error")) {
			return fmt.Errorf("waiting for %q: %.300s", text, frame)
		}
		if bytes.Contains(frame, []byte(text)) {
			return nil
		}
	}
}

func (s *xmppSocket) close() error {
	_ = s.ws.CloseNow() // the server sees the end of the connection
	return nil
}
