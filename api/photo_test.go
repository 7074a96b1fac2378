package api_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// TestOwnPhoto is set, read, and taken away; the rest of the card stays, and presence is sent again so that
// contacts hear of it.
func TestOwnPhoto(t *testing.T) {
	f := newGateway(t)
	f.up.Edit(func(d *fakexmpp.Data) {
		d.Cards["alice@example.net"] = perch.VCard{JID: "alice@example.net", FullName: "Alice"}
	})
	f.signIn()
	picture := pngOf(t, 3, 3)
	f.refused(404, "item-not-found", "", "GET", "/v1/vcards/me/photo", "")
	sent := len(f.conn.Sent())
	f.want(204, "PUT", "/v1/vcards/me/photo", `{"data":"`+base64.StdEncoding.EncodeToString(picture)+`"}`, nil)
	if got := f.want(200, "GET", "/v1/vcards/me/photo", "", nil); !bytes.Equal(got.body, picture) {
		t.Errorf("got %d bytes, want the %d of the picture", len(got.body), len(picture))
	}
	if _, ok := f.conn.Sent()[sent].(*perch.PresenceOut); !ok {
		t.Errorf("sent %v, want the presence again", f.conn.Sent()[sent:])
	}
	f.want(204, "DELETE", "/v1/vcards/me/photo", "", nil)
	f.refused(404, "item-not-found", "", "GET", "/v1/vcards/me/photo", "")
	var card perch.VCard
	if f.want(200, "GET", "/v1/vcards/me", "", &card); card.FullName != "Alice" {
		t.Errorf("got %+v, want the rest of the card as it was", card)
	}
	large := base64.StdEncoding.EncodeToString(append(picture, make([]byte, 96<<10)...))
	for name, c := range map[string]struct{ method, path, body, pointer string }{
		"no picture":     {"PUT", "/v1/vcards/me/photo", `{}`, "/data"},
		"no base64":      {"PUT", "/v1/vcards/me/photo", `{"data":"?"}`, "/data"},
		"another type":   {"PUT", "/v1/vcards/me/photo", `{"data":"PHN2Zy8+"}`, "/data"},
		"too large":      {"PUT", "/v1/vcards/me/photo", `{"data":"` + large + `"}`, "/data"},
		"refresh, maybe": {"GET", "/v1/vcards/me/photo?refresh=2", "", "?refresh"},
		"another query":  {"DELETE", "/v1/vcards/me/photo?x=1", "", "?x"},
	} {
		t.Run(name, func(t *testing.T) { f.refused(422, "validation", c.pointer, c.method, c.path, c.body) })
	}
	for _, caps := range []perch.Capabilities{{ChatOnly: true}, {EditRoster: true}} {
		g := newGateway(t)
		g.up.Edit(func(d *fakexmpp.Data) { d.Capabilities = caps })
		g.signIn()
		g.refused(501, "feature-unsupported", "", "PUT", "/v1/vcards/me/photo", `{"data":"`+base64.StdEncoding.EncodeToString(picture)+`"}`)
		g.refused(501, "feature-unsupported", "", "DELETE", "/v1/vcards/me/photo", "")
	}
}
