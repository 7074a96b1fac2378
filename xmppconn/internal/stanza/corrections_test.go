package stanza_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
)

// TestRelations reads what messages do to earlier ones: only a correction has a text.
func TestRelations(t *testing.T) {
	const body, fallback, store = "<body>for older clients</body>", "<fallback xmlns='urn:xmpp:fallback:0'/>", "<store xmlns='urn:xmpp:hints'/>"
	const room, bo = "r@muc.test", "bo@b.test/x"
	edit := func(id string) *perch.Relation { return &perch.Relation{Kind: perch.RelationEdit, Target: id} }
	gone := func(id, reason string) *perch.Relation {
		return &perch.Relation{Kind: perch.RelationRetraction, Target: id, Reason: reason}
	}
	moderated := &perch.Relation{Kind: perch.RelationRetraction, Target: "7", Reason: "rude", Moderated: true, By: "r@muc.test/Mod"}
	for _, tt := range []struct {
		name, from, typ, inner string
		want                   said
	}{
		{"correction", bo, "chat", "<body>new</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/>", said{Body: "new", Relation: edit("m1")}},
		{"correction with details", bo, "chat", "<body>new</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/><markable xmlns='urn:xmpp:chat-markers:0'/>",
			said{Body: "new", Relation: edit("m1"), Details: &perch.MessageDetails{Markable: true}}},
		{"correction without a text", bo, "chat", "<replace xmlns='urn:xmpp:message-correct:0' id='m1'/>", said{Relation: edit("m1")}},
		{"correction of nothing", bo, "chat", "<body>new</body><replace xmlns='urn:xmpp:message-correct:0'/>",
			said{Body: "new", Details: &perch.MessageDetails{Payloads: []string{"<replace xmlns='urn:xmpp:message-correct:0'/>"}}}},
		{"retraction", bo, "chat", "<retract xmlns='urn:xmpp:message-retract:1' id='m1'/>" + store, said{Relation: gone("m1", "")}},
		{"retraction with a sentence", bo, "chat", body + "<retract xmlns='urn:xmpp:message-retract:1' id='m1'><reason>oh</reason></retract>" + fallback + store, said{Relation: gone("m1", "oh")}},
		{"retraction of before", bo, "chat", body + "<apply-to xmlns='urn:xmpp:fasten:0' id='m1'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>" + fallback, said{Relation: gone("m1", "")}},
		{"retraction and correction", bo, "chat", body + "<replace xmlns='urn:xmpp:message-correct:0' id='m2'/><retract xmlns='urn:xmpp:message-retract:1' id='m1'/>", said{Relation: gone("m1", "")}},
		{"moderation", room, "groupchat", "<retract xmlns='urn:xmpp:message-retract:1' id='7'><moderated xmlns='urn:xmpp:message-moderate:1' by='r@muc.test/Mod'/><reason>rude</reason></retract>",
			said{Relation: moderated}},
		{"moderation of before", room, "groupchat", "<apply-to xmlns='urn:xmpp:fasten:0' id='7'><moderated xmlns='urn:xmpp:message-moderate:0' by='r@muc.test/Mod'>" +
			"<retract xmlns='urn:xmpp:message-retract:0'/><reason>rude</reason></moderated></apply-to>", said{Relation: moderated}},
		{"reactions", bo, "chat", body + "<reactions xmlns='urn:xmpp:reactions:0' id='m1'><reaction>👍</reaction><reaction> ❤ </reaction><reaction>👍</reaction><reaction/></reactions>" + store,
			said{Relation: &perch.Relation{Kind: perch.RelationReactions, Target: "m1", Emojis: []string{"👍", "❤"}}}},
		{"no reactions any more", bo, "chat", "<reactions xmlns='urn:xmpp:reactions:0' id='m1'/>", said{Relation: &perch.Relation{Kind: perch.RelationReactions, Target: "m1"}}},
		{"reactions and a correction", bo, "chat", body + "<replace xmlns='urn:xmpp:message-correct:0' id='m2'/><reactions xmlns='urn:xmpp:reactions:0' id='m1'/>",
			said{Relation: &perch.Relation{Kind: perch.RelationReactions, Target: "m1"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, saidBy(t, tt.from, tt.typ, tt.inner)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
