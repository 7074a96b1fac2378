package pepnode_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/pepnode"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

var document = pepnode.Kind{Name: "n", What: "documents"}

// TestPublishOneItem needs no room for many items in a node that has one: internal/readsync tests the
// other kind, and each way to refuse.
func TestPublishOneItem(t *testing.T) {
	const config = "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'><x xmlns='jabber:x:data' type='form'>" +
		"<field var='pubsub#access_model'><value>whitelist</value></field><field var='pubsub#persist_items'><value>1</value></field>" +
		"<field var='pubsub#max_items'><value>1</value></field></x></configure></pubsub>"
	for name, tt := range map[string]struct {
		config string
		want   []string
		kind   perch.Kind
	}{
		"safe":   {config, []string{"options true", "<pubsub", "options false", "options false"}, ""},
		"public": {strings.Replace(config, "whitelist", "open", 1), []string{"options true", "<pubsub", "<pubsub", "<pubsub"}, perch.KindFeatureUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			ask := func(_ context.Context, typ string, payload []byte) (*xmlstream.Element, error) {
				text := string(payload)
				if !strings.HasPrefix(text, "<") {
					asked = append(asked, text)
				} else {
					asked = append(asked, "<pubsub")
				}
				if text == "options true" {
					return nil, &perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: "conflict"}}
				}
				if typ == "get" {
					return streamtest.Parse(t, tt.config), nil
				}
				return nil, nil
			}
			var n pepnode.Node
			for range 2 {
				err := n.Publish(context.Background(), ask, document, func(options bool) ([]byte, error) {
					if options {
						return []byte("options true"), nil
					}
					return []byte("options false"), nil
				})
				if tt.kind == "" && err != nil || tt.kind != "" && perch.KindOf(err) != tt.kind {
					t.Errorf("Publish() = %v, want kind %q", err, tt.kind)
				}
			}
			if !slices.Equal(asked, tt.want) || n.Usable() != (tt.kind == "") {
				t.Errorf("asked %q, usable %v; want %q, %v", asked, n.Usable(), tt.want, tt.kind == "")
			}
		})
	}
}
