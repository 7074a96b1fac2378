package today

import (
	"bytes"
	"encoding/xml"
	"slices"

	"github.com/perch-im/perch/internal/xmppserver"
)

const (
	nsPubSub       = "http://jabber.org/protocol/pubsub"
	nsPubSubOwner  = nsPubSub + "#owner"
	nsPubSubEvent  = nsPubSub + "#event"
	nsPubSubErrors = nsPubSub + "#errors"
)

// pepFeature is the personal nodes of accounts (XEP-0163), with what of XEP-0060 they need: whoever
// wants notifications says so by its caps, and there are no other subscriptions.
var pepFeature = feature{iq: map[xml.Name]func(*request){
	{Space: nsPubSub, Local: "pubsub"}:      pubsub,
	{Space: nsPubSubOwner, Local: "pubsub"}: pubsubOwner,
}, account: pepFeatures, identity: [2]string{"pubsub", "pep"}}

// pepFeatures are those of XEP-0060, 10 that there are.
var pepFeatures = []string{
	nsPubSub + "#access-open", nsPubSub + "#access-presence", nsPubSub + "#access-whitelist",
	nsPubSub + "#auto-create", nsPubSub + "#auto-subscribe", nsPubSub + "#config-node", nsPubSub + "#config-node-max",
	nsPubSub + "#create-and-configure", nsPubSub + "#create-nodes", nsPubSub + "#delete-items", nsPubSub + "#delete-nodes",
	nsPubSub + "#filtered-notifications", nsPubSub + "#item-ids", nsPubSub + "#last-published", nsPubSub + "#multi-items",
	nsPubSub + "#persistent-items", nsPubSub + "#presence-notifications", nsPubSub + "#presence-subscribe",
	nsPubSub + "#publish", nsPubSub + "#publish-options", nsPubSub + "#purge-nodes", nsPubSub + "#retract-items", nsPubSub + "#retrieve-items",
}

// pepVerbs are the elements inside of <pubsub/>; each is for a set or for a get. Only items is for others
// than the owner of the nodes.
var pepVerbs = map[xml.Name]struct {
	set    bool
	handle func(*request, *xmppserver.Element)
}{
	{Space: nsPubSub, Local: "publish"}: {true, pepPublish},
	{Space: nsPubSub, Local: "retract"}: {true, pepRetract},
	{Space: nsPubSub, Local: "create"}:  {true, pepCreate},
	{Space: nsPubSub, Local: "items"}:   {false, pepItems},

	{Space: nsPubSubOwner, Local: "purge"}:  {true, pepPurge},
	{Space: nsPubSubOwner, Local: "delete"}: {true, pepDelete},
}

func pubsub(r *request) { r.pepVerb(r.payload.Payload()) }

// pubsubOwner has one verb that is both: <configure/>.
func pubsubOwner(r *request) {
	if c := r.payload.Child(nsPubSubOwner, "configure"); c != nil && r.mayWriteNodes() {
		pepConfigure(r, c)
		return
	} else if c != nil {
		r.fail("forbidden")
		return
	}
	r.pepVerb(r.payload.Payload())
}

func (r *request) pepVerb(e *xmppserver.Element) {
	if e == nil {
		r.fail("bad-request")
		return
	}
	verb := pepVerbs[e.Name]
	switch {
	case verb.handle == nil || r.to.Account == nil:
		r.fail("service-unavailable")
	case verb.set != r.set:
		r.fail("bad-request")
	case verb.set && !r.mayWriteNodes():
		r.fail("forbidden")
	default:
		verb.handle(r, e)
	}
}

// mayWriteNodes reports whether the nodes are those of the account that asks.
func (r *request) mayWriteNodes() bool { return r.own() }

// failMore is fail with an element beside the condition, such as those of XEP-0060.
func (r *request) failMore(condition, more string) {
	b := xmppserver.StanzaError(r.iq, r.iq.Get("to"), r.from.Full, condition)
	n := bytes.LastIndex(b, []byte("</error>"))
	r.from.Send(slices.Concat(b[:n], []byte(more), b[n:]))
}

// failPubSub is fail with a condition of XEP-0060.
func (r *request) failPubSub(condition, more string) {
	r.failMore(condition, "<"+more+" xmlns='"+nsPubSubErrors+"'/>")
}
