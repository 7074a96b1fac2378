package today

import "github.com/perch-im/perch/internal/xmppserver"

// iq answers a request, or hands it to the component or the resource that it is for; s.mu is held.
// Whatever no feature answers is service-unavailable.
func (s *Service) iq(x *session, e *xmppserver.Element) {
	if to := e.Get("to"); to != "" && s.refuses(x, e, to) {
		return
	}
	if c := s.components[hostOf(e.Get("to"))]; c != nil {
		c.stanza(x, e)
		return
	}
	kind := e.Get("type")
	reply := kind == "result" || kind == "error"
	r := request{s: s, from: x, iq: e, payload: e.Payload(), set: kind == "set"}
	r.to = xmppserver.Address{Account: x.acct.Account, Bare: x.acct.Bare}
	if to := e.Get("to"); to != "" {
		var ok bool
		if r.to, ok = s.dir.Resolve(to); !ok {
			if !reply {
				r.fail("jid-malformed")
			}
			return
		}
	}
	switch {
	case r.to.Resource != "" && r.to.Account != nil:
		s.relayIQ(&r, reply)
	case reply: // answers to pushes, and to questions of the service
		s.answered(x, e)
	case (kind != "get" && kind != "set") || e.Get("id") == "" || len(e.Elements()) != 1:
		r.fail("bad-request")
	case r.to.Foreign:
		r.fail("remote-server-not-found")
	default:
		if handle := s.answers[r.payload.Name]; handle != nil {
			handle(&r)
			return
		}
		r.fail("service-unavailable")
	}
}

// relayIQ hands a request or its answer to a resource (RFC 6121, 8.5.3.1).
func (s *Service) relayIQ(r *request, reply bool) {
	target := s.session(r.to)
	if target == nil {
		if !reply {
			r.fail("service-unavailable")
		}
		return
	}
	target.Send(r.from.stamped(r.iq, r.iq.Get("to")))
}

// stamped is a stanza as its receiver gets it: from the full JID of its sender.
func (x *session) stamped(e *xmppserver.Element, to string) []byte {
	b := append([]byte{'<'}, e.Name.Local...)
	b = xmppserver.AppendAttr(b, "from", x.Full)
	if to != "" {
		b = xmppserver.AppendAttr(b, "to", to)
	}
	for _, a := range e.Attr {
		switch {
		case a.Name.Space == xmppserver.NSXML && a.Name.Local == "lang":
			b = xmppserver.AppendAttr(b, "xml:lang", a.Value)
		case a.Name.Space == "" && (a.Name.Local == "id" || a.Name.Local == "type"):
			b = xmppserver.AppendAttr(b, a.Name.Local, a.Value)
		}
	}
	b = e.AppendKids(append(b, '>'))
	b = append(append(b, "</"...), e.Name.Local...)
	return append(b, '>')
}

// bounce answers a message or presence with an error from where it was sent to.
func (x *session) bounce(e *xmppserver.Element, condition string) {
	if e.Get("type") != "error" { // RFC 6120, 8.3.1: an error is never answered
		x.Send(xmppserver.StanzaError(e, e.Get("to"), x.Full, condition))
	}
}
