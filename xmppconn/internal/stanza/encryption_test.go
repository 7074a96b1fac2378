package stanza_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
)

// TestEncryption reads what only a client with a key can read: the element is for that client, the
// sentence beside it for all others.
func TestEncryption(t *testing.T) {
	const omemo = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='2'>AA==</key></header><payload>AAAA</payload></encrypted>"
	const keys = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted>"
	const pgp, openpgp = "<x xmlns='jabber:x:encrypted'>AA==</x>", "<openpgp xmlns='urn:xmpp:openpgp:0'>AA==</openpgp>"
	eme := func(attrs string) string { return "<encryption xmlns='urn:xmpp:eme:0' " + attrs + "/>" }
	secret := func(method, name, fallback string, payloads ...string) said {
		return said{Details: &perch.MessageDetails{Encryption: &perch.Encryption{Method: method, Name: name}, Fallback: fallback, Payloads: payloads}}
	}
	for _, tt := range []struct {
		name, inner string
		want        said
	}{
		{"OMEMO", omemo + "<store xmlns='urn:xmpp:hints'/>", secret("eu.siacs.conversations.axolotl", "OMEMO", "", omemo)},
		{"OMEMO with a sentence", "<body>no key</body>" + omemo + eme("namespace='eu.siacs.conversations.axolotl'"), secret("eu.siacs.conversations.axolotl", "OMEMO", "no key", omemo)},
		{"OMEMO behind other things", "<body>no key</body><a xmlns='urn:a'/>" + omemo, secret("eu.siacs.conversations.axolotl", "OMEMO", "no key", omemo, "<a xmlns='urn:a'/>")},
		{"OMEMO that need not be stored", omemo + "<no-store xmlns='urn:xmpp:hints'/>", secret("eu.siacs.conversations.axolotl", "OMEMO", "", omemo)},
		{"OpenPGP", openpgp, secret("urn:xmpp:openpgp:0", "OpenPGP for XMPP", "", openpgp)},
		{"OpenPGP of before", "<body>no key</body>" + pgp, secret("jabber:x:encrypted", "Legacy OpenPGP", "no key", pgp)},
		{"an unknown one", "<body>no key</body><a xmlns='urn:a'/><secret xmlns='urn:x'>AA==</secret>" + eme("namespace='urn:x' name='Rot 13'"),
			secret("urn:x", "Rot 13", "no key", "<secret xmlns='urn:x'>AA==</secret>", "<a xmlns='urn:a'/>")},
		{"an unknown one without a sentence", "<secret xmlns='urn:x'>AA==</secret>" + eme("namespace='urn:x'") + "<no-store xmlns='urn:xmpp:hints'/>", secret("urn:x", "", "", "<secret xmlns='urn:x'>AA==</secret>")},
		{"in the body", "<body>?OTR:AA</body>" + eme("namespace='urn:xmpp:otr:0'"), secret("urn:xmpp:otr:0", "OTR", "?OTR:AA")},
		{"a hint without a method", "<body>hi</body>" + eme(""), said{Body: "hi"}},
		{"keys", keys, said{}},
		{"keys with a sentence", "<body>keys</body>" + keys + eme("namespace='eu.siacs.conversations.axolotl'"), said{}},
		{"keys beside words", "<body>hi</body>" + keys, said{Body: "hi"}},
		{"a correction", "<body>no key</body>" + omemo + "<replace xmlns='urn:xmpp:message-correct:0' id='1'/>", func() said {
			s := secret("eu.siacs.conversations.axolotl", "OMEMO", "no key", omemo)
			s.Relation = &perch.Relation{Kind: perch.RelationEdit, Target: "1"}
			return s
		}()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, saidBy(t, "bo@b.test/x", "chat", tt.inner)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	large := strings.Replace(omemo, "AAAA", strings.Repeat("A", perch.MaxPayloadBytes), 1)
	if d := saidBy(t, "bo@b.test/x", "chat", large).Details; d == nil || d.Payloads != nil || !d.PayloadsTruncated || d.Encryption == nil {
		t.Errorf("a large one: got %+v, want an encrypted message without its element", d)
	}
}
