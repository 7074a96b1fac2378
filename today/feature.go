package today

import (
	"encoding/xml"
	"maps"

	"github.com/perch-im/perch/internal/xmppserver"
)

// feature is what a part of the service answers and shows. It is one file with one value.
type feature struct {
	// iq answers requests to the service and to bare JIDs, by their payload's name.
	iq map[xml.Name]func(*request)

	server  []string // features that service discovery shows of the domain (XEP-0030)
	account []string // and of a bare JID

	identity [2]string // category and type of a bare JID beside its own, if any
}

// features of the service: a new one is a line here.
var features = []*feature{
	&rosterFeature, &basicsFeature, &discoFeature,
	&mamFeature, &carbonsFeature, &pepFeature, &vcardFeature, &blockingFeature,
	&bookmarksFeature, &privateFeature,
}

// answers are the requests that the features answer, by their payload's name.
func answers(list []*feature) map[xml.Name]func(*request) {
	all := make(map[xml.Name]func(*request))
	for _, f := range list {
		maps.Copy(all, f.iq)
	}
	return all
}

// request is an IQ that waits for its answer; Service.mu is held while it is handled. It is answered
// once, by result or fail.
type request struct {
	s       *Service
	from    *session
	iq      *xmppserver.Element
	payload *xmppserver.Element
	to      xmppserver.Address // the account that asks, when the request names none
	set     bool
}

// own reports whether the request is to the account that asks.
func (r *request) own() bool {
	return r.to.Account == r.from.acct.Account && r.to.Resource == ""
}

// result answers with a payload, which may be nil.
func (r *request) result(payload []byte) {
	b := xmppserver.AppendAttr([]byte("<iq type='result'"), "id", r.iq.Get("id"))
	if from := r.iq.Get("to"); from != "" {
		b = xmppserver.AppendAttr(b, "from", from)
	}
	b = append(xmppserver.AppendAttr(b, "to", r.from.Full), '>')
	r.from.Send(append(append(b, payload...), "</iq>"...))
}

// fail answers with a stanza error (RFC 6120, 8.3).
func (r *request) fail(condition string) {
	r.from.Send(xmppserver.StanzaError(r.iq, r.iq.Get("to"), r.from.Full, condition))
}
