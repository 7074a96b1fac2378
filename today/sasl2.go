package today

import (
	"encoding/base64"

	"github.com/perch-im/perch/internal/xmppserver"
)

const (
	nsSASL2 = "urn:xmpp:sasl:2"
	nsBind2 = "urn:xmpp:bind:0"
)

// appendSASL2 offers the profile of XEP-0388, with all that can be had in the same step: a resource
// (XEP-0386), an earlier session (XEP-0198), and tokens (XEP-0484).
func (st *stream) appendSASL2(b []byte) []byte {
	b = append(b, "<authentication xmlns='"+nsSASL2+"'>"...)
	b = append(st.appendMechanisms(b), "<inline><bind xmlns='"+nsBind2+"'><inline>"...)
	b = appendFeatures(b, nsCarbons, nsCSI, nsSM)
	b = append(b, "</inline></bind><sm xmlns='"+nsSM+"'/><fast xmlns='"+nsFast+"'>"...)
	for _, name := range st.tokenMechanisms() {
		b = xmppserver.AppendTag(b, "mechanism", name)
	}
	return append(b, "</fast></inline></authentication>"...)
}

// authenticate2 is one attempt by the profile of XEP-0388: the stream goes on without a restart.
func (st *stream) authenticate2(e *xmppserver.Element) error {
	var token *tokenExchange
	x := st.mechanism(e.Get("mechanism"))
	if e.Child(nsFast, "fast") != nil { // a token is shown by none of the others, and without <fast/> none is
		if token = st.startToken(e.Get("mechanism"), agentOf(e)); token != nil {
			x = token
		}
	}
	var initial *string
	if first := e.Child(nsSASL2, "initial-response"); first != nil {
		text := first.Text()
		initial = &text
	}
	v, err := st.run(nsSASL2, x, initial)
	if err != nil {
		return err
	}
	if v.acct != nil && !st.isFrom(v.acct) {
		v = verdict{fail: "invalid-authzid"}
	}
	if v.acct == nil {
		st.conn.Write(failure(nsSASL2, v.fail))
		return nil
	}
	st.acct = v.acct
	st.conn.Authenticated()
	for _, b := range st.succeed(e, v, token) {
		st.conn.Write(b)
	}
	return nil
}

// isFrom reports whether the header of the stream names the account, if it names any (XEP-0388, 2.3).
func (st *stream) isFrom(a *account) bool {
	from := st.conn.From()
	return from.Localpart() == "" || from.Bare().String() == a.Bare
}

// succeed does all that goes with the login, and says so in one answer; the features follow it at once
// (XEP-0388, 2.6.1). What it returns is to be written where nothing is bound: that may wait for the client,
// and so is not done under Service.mu. For a session they are in its queue, and nothing else is before them.
func (st *stream) succeed(e *xmppserver.Element, v verdict, token *tokenExchange) [][]byte {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	st.acct.logins++
	var done []byte
	resumed := false
	if resume := e.Child(nsSM, "resume"); resume != nil {
		x, refused := st.resumable(resume)
		if x != nil {
			x.attach(st.conn)
			st.x, done, resumed = x, x.sm.resumed(), true
		} else {
			done = refused
		}
	}
	if b := e.Child(nsBind2, "bind"); b != nil && st.x == nil {
		agent := agentOf(e)
		x, condition := st.s.bind(st.conn, st.acct, st.resourceFor(b, agent), agent)
		if condition != "" {
			st.acct = nil // the client may try again
			return [][]byte{failure(nsSASL2, "temporary-auth-failure")}
		}
		st.x = x
		done = x.appendBound(done, b)
	}
	success, features := st.success(v, st.appendToken(done, e, token)), st.features()
	if st.x == nil {
		return [][]byte{success, features}
	}
	st.conn.Send(success)
	st.conn.Send(features)
	if resumed {
		st.x.resend()
	}
	return nil
}

// success is the answer with all that was done. The identifier is of the session, if there is one.
func (st *stream) success(v verdict, done []byte) []byte {
	jid := st.acct.Bare
	if st.x != nil {
		jid = st.x.Full
	}
	b := []byte("<success xmlns='" + nsSASL2 + "'>")
	if len(v.data) > 0 {
		b = xmppserver.AppendTag(b, "additional-data", base64.StdEncoding.EncodeToString(v.data))
	}
	b = xmppserver.AppendTag(b, "authorization-identifier", jid)
	return append(append(b, done...), "</success>"...)
}
