package today

import (
	"crypto/subtle"
	"encoding/base64"
	"strings"

	wire "mellium.im/xmpp/stream"

	"github.com/perch-im/perch/internal/xmppserver"
)

// maxTries is how often a client may try to authenticate, or to bind, on one stream (RFC 6120, 6.4.5).
const maxTries = 5

// SignIn authenticates (RFC 6120, 6) and binds (7).
func (st *stream) SignIn() error {
	if err := st.authenticate(); err != nil {
		return err
	}
	st.conn.Authenticated()
	if err := st.conn.Open(); err != nil {
		return err
	}
	return st.bind()
}

// authenticate offers the mechanisms until one of them has succeeded.
func (st *stream) authenticate() error {
	st.conn.Write([]byte("<stream:features><mechanisms xmlns='" + xmppserver.NSSASL + "'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"))
	for range maxTries {
		e, err := st.conn.Next()
		if err != nil {
			return err
		}
		if e.Name.Space != xmppserver.NSSASL {
			return wire.NotAuthorized // a stanza before sign-in
		}
		if st.acct = st.plain(e.Text()); st.acct != nil {
			st.conn.Write([]byte("<success xmlns='" + xmppserver.NSSASL + "'/>"))
			return nil
		}
		st.conn.Write([]byte("<failure xmlns='" + xmppserver.NSSASL + "'><not-authorized/></failure>"))
	}
	return wire.PolicyViolation
}

// plain is RFC 4616: the account whose password this is, or nil.
func (st *stream) plain(text string) *account {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	parts := strings.Split(string(b), "\x00")
	if err != nil || len(parts) != 3 {
		return nil
	}
	a := st.s.accounts[parts[1]]
	if a == nil || a.password == "" || subtle.ConstantTimeCompare([]byte(a.password), []byte(parts[2])) != 1 {
		return nil
	}
	return a
}

// bind gives the client its resource.
func (st *stream) bind() error {
	st.conn.Write([]byte("<stream:features><bind xmlns='" + xmppserver.NSBind + "'><required/></bind><session xmlns='" + xmppserver.NSSession + "'><optional/></session></stream:features>"))
	for range maxTries {
		e, err := st.conn.Next()
		if err != nil {
			return err
		}
		b := e.Child(xmppserver.NSBind, "bind")
		if e.Name.Local != "iq" || e.Name.Space != xmppserver.NSClient || e.Get("type") != "set" || b == nil {
			return wire.NotAuthorized // RFC 6120, 7.1: nothing else before bind
		}
		if condition := st.bound(e, b.Child(xmppserver.NSBind, "resource").Text()); condition != "" {
			st.conn.Write(xmppserver.StanzaError(e, "", "", condition))
			continue
		}
		return nil
	}
	return wire.PolicyViolation
}

// bound binds a resource and answers the request, or returns the condition of a stanza error.
func (st *stream) bound(iq *xmppserver.Element, wanted string) string {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	x, condition := st.s.bind(st.conn, st.acct, wanted)
	if condition != "" {
		return condition
	}
	st.x = x
	b := xmppserver.AppendAttr([]byte("<iq type='result'"), "id", iq.Get("id"))
	b = append(b, "><bind xmlns='"+xmppserver.NSBind+"'>"...)
	x.send(append(xmppserver.AppendTag(b, "jid", x.Full), "</bind></iq>"...))
	return ""
}
