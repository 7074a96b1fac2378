package xmppconn

import (
	"fmt"
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

// TestDefaultLimits holds a connection with the limits of a Dialer to their exact values:
// what is at a limit arrives, and one more is event.dropped by its name.
func TestDefaultLimits(t *testing.T) {
	const (
		stanzaBytes = 1 << 20
		levels      = 32
		attributes  = 64
	)
	message := func(attrs, inner string) string {
		return "<message from='bob@a.test' id='m'" + attrs + "><body>hi</body>" + inner + "</message>"
	}
	padded := func(size int) string {
		return message("", "<x xmlns='urn:x'>"+strings.Repeat("x", size-len(message("", "<x xmlns='urn:x'></x>")))+"</x>")
	}
	nested := func(levels int) string { // the message is the first level
		return message("", strings.Repeat("<x>", levels-1)+strings.Repeat("</x>", levels-1))
	}
	attrs := func(n int) (s string) {
		for i := range n {
			s += fmt.Sprintf(" a%d=''", i)
		}
		return s
	}
	for _, tt := range []struct{ name, at, over, reason, from, id string }{
		{"bytes of a stanza", padded(stanzaBytes), padded(stanzaBytes + 1), "too_large", "bob@a.test", "m"},
		{"levels", nested(levels), nested(levels + 1), "too_deep", "bob@a.test", "m"},
		{"attributes of a stanza", message(attrs(attributes-2), ""), message(attrs(attributes-1), ""), "malformed", "", ""},
		{"attributes inside of it", message("", "<x"+attrs(attributes)+"/>"), message("", "<x"+attrs(attributes+1)+"/>"), "malformed", "bob@a.test", "m"},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			w, c, b, p := online(t, messengerUp())
			p.send(tt.at)
			in := b.take()
			if len(in) != 1 {
				t.Fatalf("at the limit: got %d things, want the message", len(in))
			}
			if m, ok := in[0].(*perch.MessageIn); !ok || m.Body != "hi" {
				t.Errorf("at the limit: got %+v, want the message", in[0])
			}
			p.send(tt.over)
			in = b.take()
			if len(in) != 1 {
				t.Fatalf("over the limit: got %d things, want event.dropped", len(in))
			}
			want := perch.Dropped{Reason: tt.reason, From: perch.JID(tt.from), StanzaID: tt.id}
			if d, ok := in[0].(*perch.DroppedIn); !ok || d.Dropped != want {
				t.Errorf("over the limit: got %+v, want %+v", in[0], want)
			}
			if n := w.d.counters.Skipped.Load(); n != 1 || c.Err() != nil {
				t.Errorf("%d skipped, connection ended with %v; want 1, nil", n, c.Err())
			}
		})
	}
}
