package today_test

import (
	"crypto/sha1"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/xmpptest"
	"github.com/perch-im/perch/today"
)

const (
	nsPubSub = "http://jabber.org/protocol/pubsub"
	nsCaps   = "http://jabber.org/protocol/caps"
	nsInfo   = "http://jabber.org/protocol/disco#info"
)

func pubsub(verb string) string { return "<pubsub xmlns='" + nsPubSub + "'>" + verb + "</pubsub>" }
func owner(verb string) string {
	return "<pubsub xmlns='" + nsPubSub + "#owner'>" + verb + "</pubsub>"
}

// publish is the payload of a publication of a note, with options as nodeForm takes them.
func publish(node, id, text string, options ...string) string {
	verb := "<publish node='" + node + "'><item id='" + id + "'><note xmlns='urn:notes'>" + text + "</note></item></publish>"
	if options != nil {
		verb += "<publish-options>" + nodeForm("publish-options", options...) + "</publish-options>"
	}
	return pubsub(verb)
}

// nodeForm has fields, each as name=value without pubsub#.
func nodeForm(kind string, fields ...string) string {
	b := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>" + nsPubSub + "#" + kind + "</value></field>"
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		b += "<field var='pubsub#" + name + "'><value>" + value + "</value></field>"
	}
	return b + "</x>"
}

// items are those of a node, as id:text.
func items(c *xmpptest.Client, to, node, more string) string {
	c.T.Helper()
	n := c.IQ("get", to, pubsub("<items node='"+node+"'"+more))
	if n.Get("type") != "result" {
		return n.Condition()
	}
	var list []string
	for _, i := range n.At("pubsub", "items").Kids {
		list = append(list, i.Get("id")+":"+i.At("note").Text)
	}
	return strings.Join(list, " ")
}

// wanting signs a client in that wants the events of nodes.
func wanting(t *testing.T, s *today.Service, user, resource string, nodes ...string) *xmpptest.Client {
	t.Helper()
	c, _ := wantingAll(t, s, user, resource, nodes...)
	return c
}

// wantingAll answers the question for the caps of a client, and returns what it has got until then.
func wantingAll(t *testing.T, s *today.Service, user, resource string, nodes ...string) (*xmpptest.Client, []xmpptest.Node) {
	t.Helper()
	c := signIn(t, s, user, resource)
	c.IQ("get", "", "<query xmlns='jabber:iq:roster'/>")
	var features []string
	for _, n := range nodes {
		features = append(features, n+"+notify")
	}
	slices.Sort(features)
	sum := sha1.Sum([]byte("client/pc//T<" + strings.Join(features, "<") + "<"))
	ver := base64.StdEncoding.EncodeToString(sum[:])
	c.Send("<presence><c xmlns='%s' hash='sha-1' node='urn:t' ver='%s'/></presence>", nsCaps, ver)
	got := c.Sync()
	for _, q := range xmpptest.Only(got, "iq get") {
		if got, want := q.At("query").Get("node")+" "+q.Get("from"), "urn:t#"+ver+" "+at(user); got != want {
			t.Errorf("asked %q, want %q", got, want)
		}
		b := "<query xmlns='" + nsInfo + "' node='urn:t#" + ver + "'><identity category='client' type='pc' name='T'/>"
		for _, f := range features {
			b += "<feature var='" + f + "'/>"
		}
		c.Send("<iq type='result' id='%s' to='%s'>%s</query></iq>", q.Get("id"), q.Get("from"), b)
	}
	return c, got
}

// events are the notifications that a client has got, as "from what node id:text ...".
func events(c *xmpptest.Client) []string {
	c.T.Helper()
	return eventsIn(c.Sync())
}

func eventsIn(got []xmpptest.Node) (list []string) {
	for _, m := range xmpptest.Only(got, "message headline") {
		if len(m.At("event").Kids) == 0 {
			continue
		}
		what := m.At("event").Kids[0]
		e := m.Get("from") + " " + what.XMLName.Local + " " + what.Get("node")
		for _, i := range what.Kids {
			e += " " + i.XMLName.Local + " " + i.Get("id") + ":" + i.At("note").Text
		}
		list = append(list, e)
	}
	return list
}

func TestNodes(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann", "a")
	all := []string{"persist_items=true", "max_items=max", "access_model=whitelist"}
	for _, step := range []struct{ name, payload, condition, node, want string }{
		{"an item makes the node", publish("n", "1", "a"), "", "n", "1:a"},
		{"the next takes its place", publish("n", "2", "b"), "", "n", "2:b"},
		{"a node for many", publish("m", "1", "a", all...), "", "m", "1:a"},
		{"the second", publish("m", "2", "b", all...), "", "m", "1:a 2:b"},
		{"the first again", publish("m", "1", "c", "max_items=256"), "", "m", "2:b 1:c"},
		{"other options", publish("m", "3", "d", "access_model=open"), "conflict", "m", "2:b 1:c"},
		{"options that there are not", publish("o", "3", "d", "access_model=roster"), "conflict", "o", "item-not-found"},
		{"fewer items", owner("<configure node='m'>" + nodeForm("node_config", "max_items=1") + "</configure>"), "", "m", "1:c"},
		{"too many items", owner("<configure node='m'>" + nodeForm("node_config", "max_items=257") + "</configure>"), "not-acceptable", "m", "1:c"},
		{"a form of another kind", owner("<configure node='m'>" + nodeForm("publish-options", "max_items=7") + "</configure>"), "bad-request", "m", "1:c"},
		{"an unknown field", owner("<configure node='m'>" + nodeForm("node_config", "mood=1") + "</configure>"), "not-acceptable", "m", "1:c"},
		{"retracted", pubsub("<retract node='m' notify='true'><item id='1'/></retract>"), "", "m", ""},
		{"retracted again", pubsub("<retract node='m'><item id='1'/></retract>"), "item-not-found", "m", ""},
		{"made", pubsub("<create node='c'/><configure>" + nodeForm("node_config", "access_model=open") + "</configure>"), "", "c", ""},
		{"made twice", pubsub("<create node='c'/>"), "conflict", "c", ""},
		{"purged", owner("<purge node='n'/>"), "", "n", ""},
		{"deleted", owner("<delete node='n'/>"), "", "n", "item-not-found"},
		{"deleted twice", owner("<delete node='n'/>"), "item-not-found", "n", "item-not-found"},
		{"no node", pubsub("<publish><item><a xmlns='b'/></item></publish>"), "bad-request", "m", ""},
		{"no item", pubsub("<publish node='m'/>"), "bad-request", "m", ""},
		{"no payload", pubsub("<publish node='m'><item/></publish>"), "bad-request", "m", ""},
		{"two payloads", pubsub("<publish node='m'><item><a xmlns='b'/><a xmlns='b'/></item></publish>"), "bad-request", "m", ""},
		{"not kept", publish("e", "1", "a", "persist_items=0"), "", "e", ""},
		{"a subscription", pubsub("<subscribe node='m' jid='a@b'/>"), "service-unavailable", "m", ""},
		{"affiliations", owner("<affiliations node='m'/>"), "service-unavailable", "m", ""},
	} {
		if got := ann.IQ("set", "", step.payload).Condition(); got != step.condition {
			t.Errorf("%s: got the condition %q, want %q", step.name, got, step.condition)
		}
		if got := items(ann, "", step.node, "/>"); got != step.want {
			t.Errorf("%s: got the items %q, want %q", step.name, got, step.want)
		}
	}
	if got := ann.IQ("set", at("ben"), publish("n", "1", "a")).Condition(); got != "forbidden" {
		t.Errorf("to another: got the condition %q, want %q", got, "forbidden")
	}
}

func TestNodeItems(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann", "a")
	for i := range 5 {
		ann.IQ("set", "", publish("n", strconv.Itoa(i), "x", "max_items=max"))
	}
	for _, tt := range []struct{ more, want string }{
		{"/>", "0:x 1:x 2:x 3:x 4:x"},
		{" max_items='2'/>", "3:x 4:x"},
		{" max_items='many'/>", "bad-request"},
		{"><item id='4'/><item id='7'/><item id='0'/></items>", "4:x 0:x"},
	} {
		if got := items(ann, "", "n", tt.more); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.more, got, tt.want)
		}
	}
	n := ann.IQ("set", "", pubsub("<publish node='n'><item><note xmlns='urn:notes'>y</note></item></publish>"))
	id := n.At("pubsub", "publish", "item").Get("id")
	if got := items(ann, "", "n", " max_items='1'/>"); got != id+":y" || id == "" {
		t.Errorf("without an id: got %q, want it with %q", got, id)
	}
}

func TestNodeAccess(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann", "a")
	ben, cat := online(t, s, "ben", "b"), online(t, s, "cat", "c")
	for _, model := range []string{"open", "presence", "whitelist"} {
		ann.IQ("set", "", publish(model, "1", "a", "access_model="+model))
	}
	for _, tt := range []struct {
		name           string
		c              *xmpptest.Client
		node, to, want string
	}{
		{"a contact", ben, "open", "ann", "1:a"},
		{"a contact", ben, "presence", "ann", "1:a"},
		{"a contact", ben, "whitelist", "ann", "not-allowed"},
		{"a stranger", cat, "open", "ann", "1:a"},
		{"a stranger", cat, "presence", "ann", "not-authorized"},
		{"a stranger", cat, "whitelist", "ann", "not-allowed"},
		{"a contact", ben, "other", "ann", "item-not-found"},
		{"a contact", ben, "open", "nobody", "service-unavailable"},
	} {
		if got := items(tt.c, at(tt.to), tt.node, "/>"); got != tt.want {
			t.Errorf("%s, %s of %s: got %q, want %q", tt.name, tt.node, tt.to, got, tt.want)
		}
	}
	var nodes []string
	for _, i := range ben.IQ("get", at("ann"), "<query xmlns='http://jabber.org/protocol/disco#items'/>").At("query").Kids {
		nodes = append(nodes, i.Get("node"))
	}
	if want := []string{"open", "presence"}; !slices.Equal(nodes, want) {
		t.Errorf("ben sees the nodes %q, want %q", nodes, want)
	}
	info := ann.IQ("get", "", "<query xmlns='"+nsInfo+"' node='open'/>")
	if got := info.At("query", "identity").Get("type"); got != "leaf" {
		t.Errorf("the node: got %v, want the identity leaf", info)
	}
	if got := ben.IQ("get", at("ann"), "<query xmlns='"+nsInfo+"' node='whitelist'/>").Condition(); got != "item-not-found" {
		t.Errorf("a hidden node: got the condition %q, want %q", got, "item-not-found")
	}
}

func TestNodeEvents(t *testing.T) {
	s := start(t, world())
	ann := wanting(t, s, "ann", "a", "n", "private")
	deaf := online(t, s, "ann", "deaf")
	ben, cat := wanting(t, s, "ben", "b", "n", "private"), wanting(t, s, "cat", "c", "n")
	ben.Sync()
	cat.Sync()
	for _, step := range []struct{ name, payload, own, contact string }{
		{"published", publish("n", "1", "a"), "items n item 1:a", "items n item 1:a"},
		{"published for the account", publish("private", "1", "a", "access_model=whitelist"), "items private item 1:a", ""},
		{"not wanted", publish("other", "1", "a"), "", ""},
		{"retracted", pubsub("<retract node='n'><item id='1'/></retract>"), "items n retract 1:", "items n retract 1:"},
		{"purged", owner("<purge node='n'/>"), "purge n", "purge n"},
		{"deleted", owner("<delete node='n'/>"), "delete n", "delete n"},
		{"silent", pubsub("<create node='n'/><configure>" + nodeForm("node_config", "notify_retract=0") + "</configure>"), "", ""},
		{"published again", publish("n", "1", "b"), "items n item 1:b", "items n item 1:b"},
		{"retracted silently", pubsub("<retract node='n'><item id='1'/></retract>"), "", ""},
	} {
		if n := ann.IQ("set", "", step.payload); n.Get("type") != "result" {
			t.Fatalf("%s: got %v, want a result", step.name, n)
		}
		for _, see := range []struct {
			name string
			c    *xmpptest.Client
			want string
		}{{"the own session", ann, step.own}, {"one without caps", deaf, ""}, {"the contact", ben, step.contact}, {"a stranger", cat, ""}} {
			var want []string
			if see.want != "" {
				want = []string{at("ann") + " " + see.want}
			}
			if got := events(see.c); !slices.Equal(got, want) {
				t.Errorf("%s: %s got %q, want %q", step.name, see.name, got, want)
			}
		}
	}
}

func TestLastItems(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann", "a")
	ann.IQ("set", "", publish("n", "1", "a"))
	ann.IQ("set", "", publish("never", "1", "a", "send_last_published_item=never"))
	ann.IQ("set", "", publish("private", "1", "a", "access_model=whitelist"))
	n, private := at("ann")+" items n item 1:a", at("ann")+" items private item 1:a"
	if got := events(wanting(t, s, "ann", "b", "n", "never", "private")); !slices.Equal(got, []string{n, private}) {
		t.Errorf("the own session got %q, want %q", got, []string{n, private})
	}
	// The same caps are known now: nothing is asked, and a second presence brings nothing again.
	ben, first := wantingAll(t, s, "ben", "b", "n", "never", "private")
	if got := eventsIn(first); len(xmpptest.Only(first, "iq")) > 0 || !slices.Equal(got, []string{n}) {
		t.Errorf("the contact got %q, want %q", got, []string{n})
	}
	if got := events(ben); len(got) != 0 {
		t.Errorf("later: got %q, want none again", got)
	}
	ben.Send("<presence><show>away</show><c xmlns='%s' hash='sha-1' node='urn:t' ver='other'/></presence>", nsCaps)
	if got := xmpptest.Only(ben.Sync(), "iq get"); len(got) != 1 {
		t.Errorf("other caps: got %d questions, want one", len(got))
	}
}

func TestCapsThatLieAreNotRemembered(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann", "a")
	lie := func(user, feature string) *xmpptest.Client {
		c := signIn(t, s, user, "x")
		c.Send("<presence><c xmlns='%s' hash='sha-1' node='urn:t' ver='q07IKJEyjvHSyhy//CH0CxmKi8w='/></presence>", nsCaps)
		for _, q := range xmpptest.Only(c.Sync(), "iq get") {
			c.Send("<iq type='result' id='%s' to='%s'><query xmlns='%s'><feature var='%s'/></query></iq>", q.Get("id"), q.Get("from"), nsInfo, feature)
		}
		c.Sync()
		return c
	}
	liar, other := lie("ann", "n+notify"), lie("ben", "m+notify")
	ann.IQ("set", "", publish("n", "1", "a"))
	ann.IQ("set", "", publish("m", "1", "a"))
	if got, want := events(liar), []string{at("ann") + " items n item 1:a"}; !slices.Equal(got, want) {
		t.Errorf("the first got %q, want %q", got, want)
	}
	if got, want := events(other), []string{at("ann") + " items m item 1:a"}; !slices.Equal(got, want) {
		t.Errorf("the second got %q, want %q: what it has said itself", got, want)
	}
}

func TestNodesAreBounded(t *testing.T) {
	s := start(t, world())
	ann := online(t, s, "ann", "a")
	for i := range 100 {
		if n := ann.IQ("set", "", publish("n"+strconv.Itoa(i), "1", "a")); n.Get("type") != "result" {
			t.Fatalf("node %d: got %v, want a result", i, n)
		}
	}
	if got := ann.IQ("set", "", publish("one more", "1", "a")).Condition(); got != "resource-constraint" {
		t.Errorf("node 101: got the condition %q, want %q", got, "resource-constraint")
	}
}
