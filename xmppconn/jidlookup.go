package xmppconn

import "github.com/perch-im/perch"

// encodeLookup asks the Messenger service for the JID of the account that the IQ is sent
// to. Space is one of nsLookup and nsLookupShort: its documents name both.
func encodeLookup(space string) []byte { return []byte("<getjid xmlns='" + space + "'/>") }

// parseLookup reads the answer in either namespace; ok is false when it has no JID.
func parseLookup(payload *element) (perch.JID, bool) {
	if payload == nil || payload.local != "getjid" || payload.space != nsLookup && payload.space != nsLookupShort {
		return "", false
	}
	jid := keepJID(payload.child(payload.space, "jid").innerText())
	return jid, jid != ""
}
