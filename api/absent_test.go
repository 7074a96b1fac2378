package api_test

import (
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// TestRefusalAboutOneAccount holds that an answer about an account is not taken for one
// about the server, and the other way round.
func TestRefusalAboutOneAccount(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	get := func(path string) func() answer { return func() answer { return f.call("GET", path, "") } }
	card, own := get("/v1/vcards/bob@example.net"), get("/v1/vcards/me")
	for _, tt := range []struct {
		name      string
		ask       func() answer
		condition string
		by        string
		status    int
		code      string
	}{
		{"a card", card, "service-unavailable", "", 404, "item-not-found"},
		{"a card, from the account itself", card, "service-unavailable", "bob@example.net", 404, "item-not-found"},
		{"a card, from a client of the account", card, "service-unavailable", "bob@example.net/phone", 404, "item-not-found"},
		{"a card, from its server", card, "service-unavailable", "example.net", 501, "feature-unsupported"},
		{"a card, not implemented", card, "feature-not-implemented", "", 404, "item-not-found"},
		{"a card, not implemented by the server", card, "feature-not-implemented", "example.net", 501, "feature-unsupported"},
		{"a card that may not be seen", card, "forbidden", "", 403, "forbidden"},
		{"the card of a server", get("/v1/vcards/icq.example.net"), "service-unavailable", "", 501, "feature-unsupported"},
		{"the own card", own, "service-unavailable", "", 404, "item-not-found"},
		{"the own card, by address", get("/v1/vcards/alice@example.net?refresh=1"), "service-unavailable", "", 404, "item-not-found"},
		{"the own card, from the server", own, "service-unavailable", "example.net", 501, "feature-unsupported"},
		{"a photo", get("/v1/vcards/bob@example.net/photo"), "service-unavailable", "", 404, "item-not-found"},
		{"the own photo", get("/v1/vcards/me/photo"), "feature-not-implemented", "", 404, "item-not-found"},
		{"a look-up", get("/v1/jids?account=mary@contoso.com"), "service-unavailable", "", 404, "item-not-found"},
		{"a look-up, from the server", get("/v1/jids?account=mary@contoso.com"), "service-unavailable", "example.net", 501, "feature-unsupported"},
		{"a buddy by an account", func() answer { return f.call("POST", "/v1/buddies", `{"account":"mary@contoso.com"}`) }, "service-unavailable", "", 404, "item-not-found"},
		{"a roster that cannot be edited", func() answer { return f.call("POST", "/v1/buddies", `{"jid":"mary@contoso.com"}`) }, "service-unavailable", "", 501, "feature-unsupported"},
		{"a card that cannot be stored", func() answer { return f.call("PUT", "/v1/vcards/me", `{}`) }, "service-unavailable", "", 501, "feature-unsupported"},
		{"the archive of the account", get("/v1/archive?with=bob@example.net"), "service-unavailable", "", 501, "feature-unsupported"},
	} {
		f.up.Edit(func(d *fakexmpp.Data) {
			d.Refuse = func(string) error {
				return &perch.Error{Kind: perch.KindXMPP, Detail: "the upstream answered with an error",
					XMPP: &perch.XMPPError{Condition: tt.condition, Type: "cancel", By: tt.by}}
			}
		})
		a := tt.ask()
		p := a.problem(t)
		if p.Status != tt.status || p.Code != tt.code || p.XMPP == nil || p.XMPP.Condition != tt.condition {
			t.Errorf("%s: %s, want %d %s with the condition", tt.name, a.body, tt.status, tt.code)
		}
	}
}
