package stanza_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const testSelf = perch.JID("me@a.test/home")

var testNow = stanza.ParseTime("2024-06-01T12:00:00Z")

// Namespaces that these tests write.
const (
	nsArchive    = "urn:xmpp:archive"
	nsCarbons    = "urn:xmpp:carbons:2"
	nsChatStates = "http://jabber.org/protocol/chatstates"
	nsClient     = xmlstream.NSClient
	nsDelay      = "urn:xmpp:delay"
	nsForward    = "urn:xmpp:forward:0"
	nsMAM        = "urn:xmpp:mam:2"
	nsNick       = "http://jabber.org/protocol/nick"
	nsRoster     = "jabber:iq:roster"
	nsSASL       = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsSID        = "urn:xmpp:sid:0"
	nsStanzas    = "urn:ietf:params:xml:ns:xmpp-stanzas"
	nsStreams    = "urn:ietf:params:xml:ns:xmpp-streams"
)

// decodeText decodes through a real framer and gives the buffer back before it looks, so
// that a text that was not copied is seen as garbage.
func decodeText(t testing.TB, raw string, now perch.Time) stanza.Decoded {
	t.Helper()
	return decodeIn(t, streamtest.Header, raw, testSelf, now)
}

// decodeIn is decodeText behind a stream header, for an account.
func decodeIn(t testing.TB, header, raw string, self perch.JID, now perch.Time) stanza.Decoded {
	t.Helper()
	fr, err := streamtest.Framer(t, header, raw, xmlstream.DefaultLimits()).Next()
	if err != nil {
		t.Fatalf("Next() of %s: got error %v, want a frame", raw, err)
	}
	d, err := stanza.Decode(&fr, self, now)
	if err != nil {
		t.Fatalf("Decode() of %s: got error %v, want none", raw, err)
	}
	fr.Release()
	return d
}

// encoded is an encoder's result as text.
func encoded(t testing.TB) func(b []byte, err error) string {
	return func(b []byte, err error) string {
		t.Helper()
		if err != nil {
			t.Fatalf("encoding: got error %v, want none", err)
		}
		return string(bytes.Clone(b))
	}
}

// fieldOf is the field that an error of KindValidation names.
func fieldOf(err error) string {
	if e, ok := errors.AsType[*perch.Error](err); ok && e.Kind == perch.KindValidation && len(e.Fields) == 1 {
		return e.Fields[0].Pointer
	}
	return ""
}

// equal compares what an encoder gives.
func equal(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %s, want %s", what, got, want)
	}
}
