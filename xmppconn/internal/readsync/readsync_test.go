package readsync_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/readsync"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// account is a server's side of the node.
type account struct {
	refuse map[string]string // conditions, by what is asked
	config map[string]string // of the node; nil: there is none
	keeps  string            // what the server makes of max_items; "" takes what it is told
	items  []string          // stanza ids that were published
	asked  []string
}

func own() perch.JID { return "me@a.test" }

// ask is a pepnode.Ask.
func (a *account) ask(_ context.Context, typ string, payload []byte) (*xmlstream.Element, error) {
	el, err := xmlstream.Parse(string(payload), xmlstream.DefaultLimits())
	if err != nil {
		return nil, err
	}
	what := a.what(typ, el)
	a.asked = append(a.asked, what)
	if condition := a.refuse[what]; condition == "timeout" {
		return nil, perch.Errorf(perch.KindUpstreamTimeout, "no answer")
	} else if condition != "" {
		return nil, refusal(condition)
	}
	switch what {
	case "create":
		a.config = map[string]string{"access_model": "presence", "persist_items": "1", "max_items": "1"}
	case "config":
		if a.config == nil {
			return nil, refusal("item-not-found")
		}
		return a.form()
	case "configure":
		for _, f := range el.Children()[0].Children()[0].Children() {
			a.config[strings.TrimPrefix(f.Attr("var"), "pubsub#")] = f.Children()[0].Text()
		}
		if a.keeps != "" {
			a.config["max_items"] = a.keeps
		}
	case "items":
		return xmlstream.Parse("<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:mds:displayed:0'><item id='bo@b.test'><displayed xmlns='urn:xmpp:mds:displayed:0'>"+
			"<stanza-id xmlns='urn:xmpp:sid:0' by='me@a.test' id='7'/></displayed></item></items></pubsub>", xmlstream.DefaultLimits())
	default:
		a.items = append(a.items, el.Children()[0].Children()[0].Children()[0].Children()[0].Attr("id"))
	}
	return nil, nil
}

// what names a request.
func (a *account) what(typ string, el *xmlstream.Element) string {
	child := el.Children()[0].Local()
	switch {
	case child == "configure" && typ == "get":
		return "config"
	case child == "publish" && len(el.Children()) == 2:
		return "publish with options"
	}
	return child
}

func (a *account) form() (*xmlstream.Element, error) {
	var b strings.Builder
	b.WriteString("<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure><x xmlns='jabber:x:data' type='form'>")
	for name, value := range a.config {
		b.WriteString("<field var='pubsub#" + name + "'><value>" + value + "</value></field>")
	}
	return xmlstream.Parse(b.String()+"</x></configure></pubsub>", xmlstream.DefaultLimits())
}

func refusal(condition string) error {
	return &perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: condition}}
}

// TestPublish makes the node safe before anything is in it, where a publication cannot do that.
func TestPublish(t *testing.T) {
	safe := map[string]string{"access_model": "whitelist", "persist_items": "true", "max_items": "255"}
	open := map[string]string{"access_model": "presence", "persist_items": "true", "max_items": "1"}
	no := func(condition string, what ...string) map[string]string {
		m := map[string]string{}
		for _, w := range what {
			m[w] = condition
		}
		return m
	}
	const options, plain = "publish with options", "publish"
	for _, tt := range []struct {
		name  string
		a     account
		asked []string
		items int
		kind  perch.Kind // of each of two publications; "" none
	}{
		{"options are known", account{}, []string{options, options}, 2, ""},
		{"no max_items, and no node", account{refuse: no("resource-constraint", options)}, []string{options, "config", "create", "config", "configure", "config", plain, plain}, 2, ""},
		{"no max_items, and a node that loses items", account{refuse: no("resource-constraint", options), config: open}, []string{options, "config", "configure", "config", plain, plain}, 2, ""},
		{"no max_items, and a node that is safe", account{refuse: no("bad-request", options), config: safe}, []string{options, "config", plain, plain}, 2, ""},
		{"a node of another kind", account{refuse: no("conflict", options), config: open}, []string{options, "config", "configure", "config", plain, plain}, 2, ""},
		{"a node that stays as it is", account{refuse: no("conflict", options), config: open, keeps: "1"}, []string{options, "config", "configure", "config"}, 0, perch.KindFeatureUnsupported},
		{"a node that may not be configured", account{refuse: no("forbidden", options, "configure"), config: open}, []string{options, "config", "configure"}, 0, perch.KindFeatureUnsupported},
		{"no nodes at all", account{refuse: no("service-unavailable", options, "config")}, []string{options, "config"}, 0, perch.KindFeatureUnsupported},
		{"no nodes can be made", account{refuse: no("not-allowed", options, "create")}, []string{options, "config", "create"}, 0, perch.KindFeatureUnsupported},
		{"an error that passes", account{refuse: no("internal-server-error", options)}, []string{options, options}, 0, perch.KindXMPP},
		{"no answer", account{refuse: no("timeout", options)}, []string{options, options}, 0, perch.KindUpstreamTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.a.config = maps.Clone(tt.a.config)
			n := readsync.New(tt.a.ask, own)
			for range 2 {
				err := n.PublishRead(context.Background(), perch.ReadIn{Conversation: "bo@b.test", StanzaID: "7"})
				if tt.kind == "" && err != nil || tt.kind != "" && perch.KindOf(err) != tt.kind {
					t.Errorf("PublishRead(): got %v, want kind %q", err, tt.kind)
				}
			}
			if !slices.Equal(tt.a.asked, tt.asked) || len(tt.a.items) != tt.items {
				t.Errorf("asked %q, with %d items published; want %q and %d", tt.a.asked, len(tt.a.items), tt.asked, tt.items)
			}
		})
	}
}

// TestPublishAgainAfterSilence tries again what had no answer in the middle.
func TestPublishAgainAfterSilence(t *testing.T) {
	a := account{refuse: map[string]string{"publish with options": "conflict", "configure": "timeout"}, config: map[string]string{"max_items": "1"}}
	n := readsync.New(a.ask, own)
	if err := n.PublishRead(context.Background(), perch.ReadIn{Conversation: "bo@b.test", StanzaID: "7"}); perch.KindOf(err) != perch.KindUpstreamTimeout {
		t.Errorf("PublishRead() = %v, want %s", err, perch.KindUpstreamTimeout)
	}
	delete(a.refuse, "configure")
	if err := n.PublishRead(context.Background(), perch.ReadIn{Conversation: "bo@b.test", StanzaID: "7"}); err != nil || len(a.items) != 1 {
		t.Errorf("PublishRead() = %v with %d items, want no error and 1", err, len(a.items))
	}
}

func TestPositions(t *testing.T) {
	a := account{refuse: map[string]string{}}
	n := readsync.New(a.ask, own)
	get := func() ([]perch.ReadIn, error) { return n.ReadPositions(context.Background()) }
	list, err := get()
	if diff := cmp.Diff([]perch.ReadIn{{Conversation: "bo@b.test", StanzaID: "7"}}, list); diff != "" || err != nil {
		t.Errorf("ReadPositions(): got error %v, want none; -want +got:\n%s", err, diff)
	}
	for condition, want := range map[string]perch.Kind{"item-not-found": "", "service-unavailable": perch.KindFeatureUnsupported, "internal-server-error": perch.KindXMPP, "timeout": perch.KindUpstreamTimeout} {
		a.refuse["items"] = condition
		if list, err := get(); list != nil || want == "" && err != nil || want != "" && perch.KindOf(err) != want {
			t.Errorf("%s: ReadPositions() = %v, %v; want none, kind %q", condition, list, err, want)
		}
	}
	a.refuse["publish with options"], a.refuse["config"] = "forbidden", "forbidden"
	if err := n.PublishRead(context.Background(), perch.ReadIn{Conversation: "bo@b.test", StanzaID: "7"}); perch.KindOf(err) != perch.KindFeatureUnsupported {
		t.Errorf("PublishRead() = %v, want %s", err, perch.KindFeatureUnsupported)
	}
	asked := len(a.asked)
	if _, err := get(); perch.KindOf(err) != perch.KindFeatureUnsupported || len(a.asked) != asked {
		t.Errorf("ReadPositions() = %v after %d requests, want %s and none more", err, len(a.asked)-asked, perch.KindFeatureUnsupported)
	}
	if err := readsync.New(a.ask, own).PublishRead(context.Background(), perch.ReadIn{StanzaID: "7"}); perch.KindOf(err) != perch.KindValidation {
		t.Errorf("PublishRead() for nobody = %v, want %s", err, perch.KindValidation)
	}
}
