package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// lane is one way from the server to a reader: the server's own WebSocket, or a session of
// the gateway and its event socket.
type lane struct {
	ws    *websocket.Conn
	close func() error
}

// openDirect signs the account in over the server's own WebSocket and shows presence.
func openDirect(ctx context.Context, addr, jid, password, resource string) (*lane, error) {
	s, err := openXMPP(ctx, addr, jid, password, resource)
	if err != nil {
		return nil, err
	}
	if err := s.available(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return &lane{s.ws, s.close}, nil
}

// openGateway signs the account in at the gateway and opens its event socket.
func openGateway(ctx context.Context, url, jid, password, resource string) (*lane, error) {
	token, err := signIn(ctx, url, map[string]string{"jid": jid, "password": password, "resource": resource})
	if err != nil {
		return nil, err
	}
	return openSocket(ctx, url, token)
}

// openSocket opens the event socket of a session, up to its first live event. close ends the
// session too.
func openSocket(ctx context.Context, url, token string) (*lane, error) {
	h := http.Header{"Authorization": {"Bearer " + token}}
	ws, resp, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(url, "http")+"/v1/events/ws",
		&websocket.DialOptions{HTTPHeader: h, Subprotocols: []string{"perch.v1"}})
	if err != nil {
		return nil, err
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	ws.SetReadLimit(1 << 20)
	l := &lane{ws, func() error {
		_ = ws.CloseNow() // nothing is read any more
		_, err := request(context.WithoutCancel(ctx), http.MethodDelete, url+"/v1/session", h, nil)
		return err
	}}
	for {
		_, text, err := ws.Read(ctx)
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		if bytes.Contains(text, []byte(`"type":"live"`)) {
			return l, nil
		}
	}
}

// signIn opens a session with an account and returns its token.
func signIn(ctx context.Context, url string, account map[string]string) (string, error) {
	body, err := json.Marshal(account)
	if err != nil {
		return "", err
	}
	text, err := request(ctx, http.MethodPost, url+"/v1/session", http.Header{"Content-Type": {"application/json"}}, body)
	if err != nil {
		return "", err
	}
	var answer struct{ Token string }
	return answer.Token, json.Unmarshal(text, &answer)
}

// request makes one call that must be answered with 2xx.
func request(ctx context.Context, method, url string, h http.Header, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = h
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(resp.Body); err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %s %s", method, url, resp.Status, text.Bytes())
	}
	return text.Bytes(), nil
}

// hear notes when each numbered message arrives, until all have come.
func (l *lane) hear(ctx context.Context, began time.Time, arrived []time.Duration) error {
	for heard := 0; heard < len(arrived); {
		_, frame, err := l.ws.Read(ctx)
		now := time.Since(began)
		if err != nil {
			return fmt.Errorf("%d of %d messages have arrived: %w", heard, len(arrived), err)
		}
		if n := numberOf(frame); n >= 0 && n < len(arrived) && arrived[n] == 0 {
			arrived[n] = now
			heard++
		}
	}
	return nil
}

const numberMark, numberDigits = "message number ", 7

// numbered is the body of a message of the measurement.
func numbered(n int) string { return fmt.Sprintf("%s%0*d. %s", numberMark, numberDigits, n, loadBody) }

// numberOf finds the number of a message in its frame, which may be XML or JSON; -1: none.
func numberOf(frame []byte) int {
	_, after, ok := bytes.Cut(frame, []byte(numberMark))
	if !ok || len(after) < numberDigits {
		return -1
	}
	n, err := strconv.Atoi(string(after[:numberDigits]))
	if err != nil {
		return -1
	}
	return n
}
