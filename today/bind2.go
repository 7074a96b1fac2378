package today

import (
	"encoding/hex"

	"github.com/perch-im/perch/internal/xmppserver"
)

// resourceFor is the resource of a bind in one step (XEP-0386, 4.1): the tag of the client, and what stays
// the same for it without giving its id away.
func (st *stream) resourceFor(bind *xmppserver.Element, agent string) string {
	tag := bind.Child(nsBind2, "tag").Text()
	id := xmppserver.NewID()[:12]
	if agent != "" {
		id = hex.EncodeToString(st.s.derived("resource", st.acct.Local+"\x00"+agent)[:6])
	}
	if tag == "" {
		return id
	}
	return tag + "/" + id
}

// appendBound does for a new session what its bind asks for, and writes what became of it. The messages
// that wait are dropped, as the client reads them in its archive, and so is an earlier session of the same
// client (XEP-0386, 4).
func (x *session) appendBound(b []byte, bind *xmppserver.Element, agent string) []byte {
	x.acct.Offline = nil
	if x.agent = agent; agent != "" {
		for _, old := range x.acct.sessions {
			if old != x && old.agent == agent {
				old.end("conflict")
				break // it is the only one: each has ended the one before
			}
		}
	}
	x.carbons = bind.Child(nsCarbons, "enable") != nil
	x.csi.inactive = bind.Child(nsCSI, "inactive") != nil
	b = append(append(b, "<bound xmlns='"+nsBind2+"'>"...), x.acct.archive.metadata()...)
	if enable := bind.Child(nsSM, "enable"); enable != nil {
		b = append(b, x.enable(enable)...)
	}
	return append(b, "</bound>"...)
}
