package cards_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
)

// TestSetNick: it is published and becomes that of the card, as far as the server has them.
func TestSetNick(t *testing.T) {
	for name, tt := range map[string]struct {
		can   perch.Capabilities
		nick  string
		asked []string
		kind  perch.Kind
	}{
		"both":                {perch.Capabilities{PEP: true, StoreVCard: true}, "Al", []string{"set nick", "get vcard", "set vcard"}, ""},
		"taken back":          {perch.Capabilities{PEP: true, StoreVCard: true}, "", []string{"set nick", "get vcard", "set vcard"}, ""},
		"published alone":     {perch.Capabilities{PEP: true}, "Al", []string{"set nick"}, ""},
		"a card alone":        {perch.Capabilities{StoreVCard: true}, "Al", []string{"get vcard", "set vcard"}, ""},
		"neither":             {perch.Capabilities{}, "Al", nil, perch.KindFeatureUnsupported},
		"a service of chat":   {perch.Capabilities{ChatOnly: true, PEP: true, StoreVCard: true}, "Al", nil, perch.KindFeatureUnsupported},
		"what XML cannot say": {perch.Capabilities{PEP: true}, "a\x00", nil, perch.KindValidation},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{answers: map[string]string{"vcard": card(picture)}}
			c := s.cards(tt.can)
			err := c.SetNick(context.Background(), tt.nick)
			if tt.kind == "" && err != nil || tt.kind != "" && perch.KindOf(err) != tt.kind {
				t.Errorf("SetNick(): got error %v, want the kind %q", err, tt.kind)
			}
			if diff := cmp.Diff(tt.asked, s.asked); diff != "" {
				t.Errorf("asked: -want +got:\n%s", diff)
			}
		})
	}
}
