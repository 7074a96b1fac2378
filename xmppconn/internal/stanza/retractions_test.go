package stanza_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// TestForgedModeration believes nobody but the room that a moderator took a message back.
func TestForgedModeration(t *testing.T) {
	const now = "<retract xmlns='urn:xmpp:message-retract:1' id='7'><moderated xmlns='urn:xmpp:message-moderate:1' by='r@muc.test/Mod'/></retract>"
	const before = "<apply-to xmlns='urn:xmpp:fasten:0' id='7'><moderated xmlns='urn:xmpp:message-moderate:0' by='r@muc.test/Mod'><retract xmlns='urn:xmpp:message-retract:0'/></moderated></apply-to>"
	for _, inner := range []string{now, before, "<body>a sentence</body>" + now} {
		for _, tt := range []struct{ from, typ string }{{"r@muc.test/Eve", "groupchat"}, {"r@muc.test", "chat"}, {"eve@b.test/x", "chat"}} {
			d := decodeText(t, "<message from='"+tt.from+"' type='"+tt.typ+"' id='1'>"+inner+"</message>", testNow)
			if got := what(d); got != "dropped not_author;" {
				t.Errorf("%s by %s (%s): got %q, want dropped not_author;", inner, tt.from, tt.typ, got)
			}
			if len(d.In) == 1 && d.In[0].(*perch.DroppedIn).Of.Body != "" {
				t.Errorf("%s: got a text in %+v, want none", inner, d.In[0])
			}
		}
	}
}

// TestTombstones reads what an archive keeps of a message that was taken back: its place, and when
// and by whom.
func TestTombstones(t *testing.T) {
	at := stanza.ParseTime("2024-05-02T10:00:00Z")
	for _, tt := range []struct {
		name, from, typ, inner string
		want                   perch.Retracted
	}{
		{"by the author", "bo@b.test/x", "chat", "<retracted xmlns='urn:xmpp:message-retract:1' id='m3' stamp='2024-05-02T10:00:00Z'/>", perch.Retracted{At: at}},
		{"by the author, with a body", "bo@b.test/x", "chat", "<body>x</body><subject>s</subject><retracted xmlns='urn:xmpp:message-retract:1' stamp='2024-05-02T10:00:00Z'/>", perch.Retracted{At: at}},
		{"of before", "bo@b.test/x", "chat", "<retracted xmlns='urn:xmpp:message-retract:0' stamp='2024-05-02T10:00:00Z'><origin-id xmlns='urn:xmpp:sid:0' id='1'/></retracted>", perch.Retracted{At: at}},
		{"by a moderator", "r@muc.test/Eve", "groupchat", "<retracted xmlns='urn:xmpp:message-retract:1' stamp='2024-05-02T10:00:00Z'><moderated xmlns='urn:xmpp:message-moderate:1' by='r@muc.test/Mod'/><reason>rude</reason></retracted>",
			perch.Retracted{At: at, By: "r@muc.test/Mod", Moderated: true, Reason: "rude"}},
		{"by a moderator, of before", "r@muc.test/Eve", "groupchat", "<moderated xmlns='urn:xmpp:message-moderate:0' by='r@muc.test/Mod'><retracted xmlns='urn:xmpp:message-retract:0' stamp='2024-05-02T10:00:00Z'/><reason>rude</reason></moderated>",
			perch.Retracted{At: at, By: "r@muc.test/Mod", Moderated: true, Reason: "rude"}},
		{"by a moderator of nothing", "bo@b.test/x", "chat", "<retracted xmlns='urn:xmpp:message-retract:1'><moderated xmlns='urn:xmpp:message-moderate:1' by='r@muc.test/Mod'/></retracted>", perch.Retracted{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(said{Details: &perch.MessageDetails{Retracted: &tt.want}}, saidBy(t, tt.from, tt.typ, tt.inner)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
