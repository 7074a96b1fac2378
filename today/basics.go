package today

import (
	"encoding/xml"
	"time"

	"github.com/perch-im/perch/internal/xmppserver"
)

const (
	nsTime    = "urn:xmpp:time"
	nsVersion = "jabber:iq:version"
)

// basicsFeature are the small requests that every service answers: ping (XEP-0199), time (XEP-0202),
// software version (XEP-0092), and the session of RFC 3921 that does nothing.
var basicsFeature = feature{iq: map[xml.Name]func(*request){
	{Space: xmppserver.NSPing, Local: "ping"}:       ping,
	{Space: xmppserver.NSSession, Local: "session"}: ping,
	{Space: nsTime, Local: "time"}:                  entityTime,
	{Space: nsVersion, Local: "query"}:              version,
}, server: []string{xmppserver.NSPing, nsTime, nsVersion}, account: []string{xmppserver.NSPing}}

func ping(r *request) { r.result(nil) }

func entityTime(r *request) {
	b := []byte("<time xmlns='" + nsTime + "'><tzo>+00:00</tzo>")
	b = xmppserver.AppendTag(b, "utc", time.Now().UTC().Format(xmppserver.StampLayout))
	r.result(append(b, "</time>"...))
}

func version(r *request) {
	b := append([]byte("<query xmlns='"+nsVersion+"'>"), "<name>Perch embedded service</name>"...)
	r.result(append(xmppserver.AppendTag(b, "version", "1"), "</query>"...))
}
