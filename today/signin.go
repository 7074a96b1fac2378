package today

import (
	"encoding/base64"

	wire "mellium.im/xmpp/stream"

	"github.com/perch-im/perch/internal/xmppserver"
)

// maxTries is how often a client may try to authenticate, or to bind, on one stream (RFC 6120, 6.4.5).
const maxTries = 5

// SignIn authenticates (RFC 6120, 6) and binds (7), or does both in one step (XEP-0388, XEP-0386).
func (st *stream) SignIn() error {
	st.bindings = channelBindings(st.conn, st.s.leaf)
	if err := st.authenticate(); err != nil {
		return err
	}
	if st.x != nil { // bound or resumed with the login
		return nil
	}
	return st.bind()
}

// authenticate offers the mechanisms, in both profiles, until one of them has succeeded.
func (st *stream) authenticate() error {
	b := append([]byte("<stream:features><mechanisms xmlns='"+xmppserver.NSSASL+"'>"), st.appendMechanisms(nil)...)
	b = st.appendBindings(append(b, "</mechanisms>"...))
	st.conn.Write(append(st.appendSASL2(b), "</stream:features>"...))
	for range maxTries {
		e, err := st.conn.Next()
		if err != nil {
			return err
		}
		switch {
		case e.Name.Space == xmppserver.NSSASL && e.Name.Local == "auth":
			err = st.auth(e)
		case e.Name.Space == nsSASL2 && e.Name.Local == "authenticate":
			err = st.authenticate2(e)
		default:
			return wire.NotAuthorized // a stanza before sign-in
		}
		if err != nil || st.acct != nil {
			return err
		}
	}
	return wire.PolicyViolation
}

// auth is one attempt by the profile of RFC 6120, 6.4, and after it the restart of the stream.
func (st *stream) auth(e *xmppserver.Element) error {
	var initial *string
	if text := e.Text(); text != "" {
		initial = &text
	}
	v, err := st.run(xmppserver.NSSASL, st.mechanism(e.Get("mechanism")), initial)
	if err != nil {
		return err
	}
	if v.acct == nil {
		st.conn.Write(failure(xmppserver.NSSASL, v.fail))
		return nil
	}
	st.acct = v.acct
	st.s.countLogin(v.acct)
	st.conn.Authenticated()
	st.conn.Write([]byte("<success xmlns='" + xmppserver.NSSASL + "'>" + base64.StdEncoding.EncodeToString(v.data) + "</success>"))
	if err := st.conn.Open(); err != nil {
		return err
	}
	st.conn.Write(st.features())
	return nil
}

// features of a stream that has authenticated: what is still to be had.
func (st *stream) features() []byte {
	b := []byte("<stream:features>")
	if st.x == nil {
		b = append(b, "<bind xmlns='"+xmppserver.NSBind+"'><required/></bind><session xmlns='"+xmppserver.NSSession+"'><optional/></session>"...)
	}
	if st.x == nil || st.x.sm == nil {
		b = append(b, "<sm xmlns='"+nsSM+"'><optional/></sm>"...)
	}
	return append(b, "<csi xmlns='"+nsCSI+"'/></stream:features>"...)
}

// bind gives the client its resource, or an earlier session that it resumes (XEP-0198, 5).
func (st *stream) bind() error {
	for range maxTries {
		e, err := st.conn.Next()
		if err != nil {
			return err
		}
		if e.Name.Space == nsSM {
			st.resumeInstead(e)
		} else if err := st.bindRequest(e); err != nil {
			return err
		}
		if st.x != nil {
			return nil
		}
	}
	return wire.PolicyViolation
}

// bindRequest answers the request for a resource.
func (st *stream) bindRequest(e *xmppserver.Element) error {
	b := e.Child(xmppserver.NSBind, "bind")
	if e.Name.Local != "iq" || e.Name.Space != xmppserver.NSClient || e.Get("type") != "set" || b == nil {
		return wire.NotAuthorized // RFC 6120, 7.1: nothing else before bind
	}
	if condition := st.bound(b.Child(xmppserver.NSBind, "resource").Text(), e.Get("id")); condition != "" {
		st.conn.Write(xmppserver.StanzaError(e, "", "", condition)) // it may wait for the client, so not under the lock
	}
	return nil
}

// bound binds a resource and answers the request with that id; it returns the condition that refuses it, or "".
func (st *stream) bound(resource, id string) string {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	x, condition := st.s.bind(st.conn, st.acct, resource, "")
	if condition != "" {
		return condition
	}
	st.x = x
	answer := xmppserver.AppendAttr([]byte("<iq type='result'"), "id", id)
	answer = append(answer, "><bind xmlns='"+xmppserver.NSBind+"'>"...)
	x.send(append(xmppserver.AppendTag(answer, "jid", x.Full), "</bind></iq>"...))
	return ""
}
