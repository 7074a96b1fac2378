package stanza

import (
	"time"

	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// isTime reports whether a request asks for the time here (XEP-0202).
func isTime(payload *xmlstream.Element) bool { return payload.Is(nsTime, "time") }

// encodeTime is the answer, in UTC: where the user is, is not for everybody to know.
func encodeTime(now time.Time) []byte {
	return []byte("<time xmlns='" + nsTime + "'><tzo>+00:00</tzo><utc>" + now.UTC().Format("2006-01-02T15:04:05Z") + "</utc></time>")
}
