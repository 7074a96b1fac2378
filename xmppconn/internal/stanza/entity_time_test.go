package stanza_test

import (
	"testing"
	"testing/synctest"

	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

func TestEntityTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // at midnight of 2000
		const want = "<time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>2000-01-01T00:00:00Z</utc></time>"
		if got, refusal := stanza.Answer(request(t, "get", "<time xmlns='urn:xmpp:time'/>"), false); refusal != "" || string(got) != want {
			t.Errorf("Answer() = %s, %q; want %s", got, refusal, want)
		}
	})
}
