package api

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"github.com/coder/websocket"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// Subprotocols of the event socket. The bearer one carries a token where no header can be
// set; it is never echoed, so no answer contains the token.
const (
	subprotocol       = "perch.v1"
	bearerSubprotocol = "perch.bearer."
)

// handleEventsWS is the event stream on a WebSocket (RFC 6455), with commands.
//
//	@ID				openEventSocket
//	@Summary		The event stream: WebSocket
//	@Description	Subprotocol perch.v1, one JSON envelope a text frame. Browsers send their token as a second subprotocol, perch.bearer.<base64url(token)>, or use a ticket.
//	@Tags			events
//	@Produce		json
//	@Param			since	query		string	false	"id of the last durable event that was handled"
//	@Param			types	query		string	false	"event types to send, with commas: exact names, or message.*"
//	@Param			conversations	query	string	false	"conversations to send the events of, with commas: JIDs, * or none"
//	@Param			ticket	query		string	false	"of POST /v1/events/tickets"
//	@Success		101		{string}	string	"switching protocols"
//	@Failure		401		{object}	Problem
//	@Failure		422		{object}	Problem
//	@Failure		426		{object}	Problem
//	@Failure		429		{object}	Problem
//	@Failure		503		{object}	Problem
//	@Security		BearerAuth
//	@Router			/v1/events/ws [get]
func (a *API) handleEventsWS(w http.ResponseWriter, r *http.Request) {
	if err := checkHandshake(r); err != nil {
		h := w.Header()
		h.Set("Upgrade", "websocket")
		h.Set("Connection", "Upgrade")
		h.Set("Sec-WebSocket-Version", "13")
		a.writeProblem(w, r, err)
		return
	}
	if !a.originAllowed(r) {
		// Before anything else: a page of another origin must not even cause a login.
		a.refuseSocket(w, r, ending{closeForbidden, perch.Errorf(perch.KindForbidden, "this origin may not open an event socket")})
		return
	}
	r, err := atUpstream(r)
	if err != nil {
		a.refuseSocket(w, r, endingOf(err))
		return
	}
	by, err := a.authenticateSocket(w, r)
	switch {
	case errors.Is(err, errForwarded):
		return
	case errors.As(err, new(misdirectedError)):
		a.writeProblem(w, r, err)
		return
	case err != nil:
		a.refuseSocket(w, r, endingOf(err))
		return
	}
	noteSession(r, by.Session.ID())
	q, err := eventQueryOf(r, by.Session, "since", "types*", "conversations*", "ticket")
	if err != nil {
		a.refuseSocket(w, r, ending{closeProtocol, err})
		return
	}
	st, err := a.openStream(r, by, "ws", sessions.SubscribeOptions{Since: q.since, Types: q.types, Conversations: q.conversations})
	if err != nil {
		e := endingOf(err)
		if perch.KindOf(err) == perch.KindQuotaExceeded {
			e.code = closeConnections
		}
		a.refuseSocket(w, r, ending{e.code, err})
		return
	}
	conn, err := a.upgrade(w, r, st.mail.awaitRoom)
	if err != nil {
		st.close()
		a.log.DebugContext(r.Context(), "upgrade failed", "error", err, "request_id", requestID(r.Context()))
		return
	}
	a.serveSocket(r, st, conn)
}

// checkHandshake refuses what is not a WebSocket handshake (RFC 6455, 4.2.1).
func checkHandshake(r *http.Request) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key")))
	switch {
	case !r.ProtoAtLeast(1, 1) || r.ProtoMajor > 1 || !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket"):
		return perch.Errorf(perch.KindUpgradeRequired, "this address accepts only WebSocket handshakes over HTTP/1.1; GET /v1/events has the same events as long poll, NDJSON or SSE")
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return perch.Errorf(perch.KindUpgradeRequired, "Sec-WebSocket-Version must be 13")
	case err != nil || len(key) != 16 || len(r.Header.Values("Sec-WebSocket-Key")) != 1:
		return perch.Errorf(perch.KindUpgradeRequired, "Sec-WebSocket-Key must be 16 bytes in base64")
	}
	return nil
}

// hasToken reports whether a header that is a list has a token.
func hasToken(h http.Header, name, word string) bool {
	for _, w := range headerList(h, name) {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}

func headerList(h http.Header, name string) []string {
	list := strings.Split(strings.Join(h.Values(name), ","), ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

// authenticateSocket finds the session by ticket, Authorization header or subprotocol, and what the
// socket may do there. When another node has the session, that node serves the socket: see locate.
func (a *API) authenticateSocket(w http.ResponseWriter, r *http.Request) (sessions.Access, error) {
	if v := vouchedBy(r.Context()); v.session != "" {
		return a.locateVouched(w, r, v) // the other node has redeemed the ticket
	}
	if text := r.URL.Query().Get("ticket"); text != "" {
		v, err := a.redeemTicket(r, text)
		if err != nil {
			return sessions.Access{}, err
		}
		return a.locateVouched(w, r, v)
	}
	token, err := socketToken(r)
	if err != nil {
		return sessions.Access{}, err
	}
	sess, err := a.locate(w, r, sessionLookup{token: token, find: func() (*sessions.Session, error) { return a.authenticate(r, token) }})
	if err == nil {
		err = a.settings().limits.token.take(w, string(sess.ID()))
	}
	if err != nil {
		return sessions.Access{}, err
	}
	by, err := a.o.Sessions.Access(fromAddress(r), sess, token)
	if err == nil {
		err = authorize(r, by)
	}
	return by, err
}

func (a *API) locateVouched(w http.ResponseWriter, r *http.Request, v vouched) (sessions.Access, error) {
	sess, err := a.locate(w, r, sessionLookup{vouched: v, find: func() (*sessions.Session, error) { return a.vouchedFor(r.Context(), v.session) }})
	if err != nil {
		return sessions.Access{}, err
	}
	by := sessions.Access{Session: sess}
	if v.token != "" {
		by, err = a.o.Sessions.AccessByID(fromAddress(r), sess, v.token)
	}
	switch {
	case perch.KindOf(err) == perch.KindUnauthorized, err == nil && v.restricted && !by.Restricted():
		return by, a.badTicket() // its token has ended
	case err != nil:
		return by, err
	}
	return by, authorize(r, by)
}

// socketToken reads the bearer token of a handshake.
func socketToken(r *http.Request) (perch.Secret, error) {
	token, ok, err := bearerOf(r)
	if ok || err != nil {
		return token, err
	}
	for _, p := range headerList(r.Header, "Sec-WebSocket-Protocol") {
		text, ok := strings.CutPrefix(p, bearerSubprotocol)
		if !ok {
			continue
		}
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
		if err != nil || !isBearerToken(string(raw)) {
			return perch.Secret{}, perch.Errorf(perch.KindUnauthorized, "%s must be followed by base64url(token)", bearerSubprotocol)
		}
		return perch.NewSecret(string(raw)), nil
	}
	return perch.Secret{}, perch.Errorf(perch.KindUnauthorized,
		"a token is needed: in the Authorization header, as subprotocol %s<base64url(token)>, or as ?ticket=", bearerSubprotocol)
}

// refuseSocket refuses a handshake. A program reads the problem from the HTTP answer. A page
// cannot, since its browser gives it neither status nor body: for a page the socket is opened,
// the problem is sent, and the socket is closed with the code.
func (a *API) refuseSocket(w http.ResponseWriter, r *http.Request, e ending) {
	if e.err == nil {
		e.err = perch.Errorf(perch.KindDraining, "this node is stopping: connect again")
	}
	if r.Header.Get("Origin") == "" || !a.streams.acquireRefusal() {
		a.writeProblem(w, r, e.err)
		return
	}
	defer a.streams.releaseRefusal()
	conn, err := a.upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer context.AfterFunc(a.streams.drainContext(), conn.abort)()
	if conn.ws.Write(context.Background(), websocket.MessageText, closingError(problemOf(r, e.err), e).Wire) != nil {
		conn.abort()
	}
	conn.close(e)
	_ = conn.frameConn.Close()
}

// upgrade accepts the handshake. Compression stays off: a token and the text of another person
// never share a deflate window, and an idle socket needs no memory for one. OnPing is called by the
// reader before it answers a ping.
func (a *API) upgrade(w http.ResponseWriter, r *http.Request, onPing func()) (*wsTransport, error) {
	u := &wsUpgrader{ResponseWriter: w, api: a}
	o := &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // originAllowed has checked it already, more strictly
		CompressionMode:    websocket.CompressionDisabled,
	}
	if onPing != nil {
		o.OnPingReceived = func(context.Context, []byte) bool { onPing(); return true }
	}
	ws, err := websocket.Accept(u, r, o)
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(a.o.FrameBytes)
	u.transport.ws = ws
	return u.transport, nil
}
