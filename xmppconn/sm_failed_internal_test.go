package xmppconn

import (
	"fmt"
	"testing"

	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// TestRefusalReportsHowMuchArrived: a server that will not resume may say what it has (XEP-0198,
// 5). The login continues with bind on the same stream.
func TestRefusalReportsHowMuchArrived(t *testing.T) {
	smBubble(t, "failed, with h", func(t *testing.T, s *smServer) {
		for h, want := range map[string]string{
			"h='2'": "map[a:0 b:0] false", "h='0'": "map[] false", "h='5'": "map[a:0 b:0 c:0] true", // more than was written
			"h='4294967295'": "map[] false", "h='x'": "map[] false", "": "map[] false",
		} {
			c, _, p := s.connect(nil)
			say(t, c, "a", "b", "c")
			for range 3 {
				p.expect(nsClient, "message")
			}
			_ = p.conn.Close()
			<-c.Done()
			s.answer = func(p *fakeServer, _ *xmlstream.Element) bool {
				p.send("<failed xmlns='" + nsSM + "' " + h + "><item-not-found xmlns='" + nsStanzas + "'/></failed>")
				return false // bind comes on the same stream
			}
			c, _, p = s.connect(c.StreamState())
			written, more := c.ResumedMessages()
			if got := fmt.Sprint(written, " ", more); got != want || c.Login().Resumed || !c.Login().Capabilities.StreamResume {
				t.Errorf("%s: known %s, want %s; %+v", h, got, want, c.Login())
			}
			if told := h == "h='2'" || h == "h='0'" || h == "h='5'"; (written != nil) != told {
				t.Errorf("got %s: known %v, want known %v", h, written, told)
			}
			p.wantH(t, "0") // both counters begin anew
			say(t, c, "d")
			if got := p.expect(nsClient, "message").Attr("id"); got != "d" {
				t.Errorf("got %s: the first message on the new stream is %s, want d", h, got)
			}
			c.Abort()
		}
	})
}
