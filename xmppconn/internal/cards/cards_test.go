package cards_test

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/cards"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const (
	picture = "\x89PNG\r\n\x1a\n one"
	other   = "\x89PNG\r\n\x1a\n two"
)

func hash(data string) string {
	sum := sha1.Sum([]byte(data))
	return hex.EncodeToString(sum[:])
}

func base64Of(data string) string { return base64.StdEncoding.EncodeToString([]byte(data)) }

// server answers by what it is asked for: "vcard", "metadata", "data", and notes what is set.
type server struct {
	mu      sync.Mutex
	answers map[string]string // payloads; of what is not there: item-not-found
	asked   []string
}

func (s *server) ask(_ context.Context, _, typ string, _ perch.JID, payload []byte) (*xmlstream.Element, error) {
	what := "vcard"
	switch text := string(payload); {
	case strings.Contains(text, "urn:xmpp:avatar:metadata"):
		what = "metadata"
	case strings.Contains(text, "urn:xmpp:avatar:data"):
		what = "data"
	case strings.Contains(text, "http://jabber.org/protocol/nick"):
		what = "nick"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, typ+" "+what)
	if typ == "set" {
		return nil, nil
	}
	if answer, ok := s.answers[what]; ok {
		return xmlstream.Parse(answer, xmlstream.DefaultLimits())
	}
	return nil, &perch.Error{Kind: perch.KindItemNotFound, XMPP: &perch.XMPPError{Condition: "item-not-found"}}
}

func (s *server) cards(can perch.Capabilities) cards.Cards {
	return cards.New(s.ask, func() perch.Login { return perch.Login{JID: "me@a.test/x", Capabilities: can} })
}

func metadata(infos string) string {
	return "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items><item><metadata xmlns='urn:xmpp:avatar:metadata'>" + infos + "</metadata></item></items></pubsub>"
}

func data(bytes string) string {
	return "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items><item><data xmlns='urn:xmpp:avatar:data'>" + base64Of(bytes) + "</data></item></items></pubsub>"
}

func card(photo string) string {
	return "<vCard xmlns='vcard-temp'><FN>Bo</FN><PHOTO><BINVAL>" + base64Of(photo) + "</BINVAL></PHOTO></vCard>"
}

// TestWhichPhoto: the avatar goes before the photo of the card, which stays where there is no avatar that can
// be had.
func TestWhichPhoto(t *testing.T) {
	info := "<info id='" + hash(other) + "'/>"
	for name, tt := range map[string]struct {
		answers map[string]string
		hash    string // of the photo; "": none
		url     string
		name    string
		kind    perch.Kind // "": no error
		asked   int
	}{
		"neither":                  {nil, "", "", "", perch.KindItemNotFound, 2},
		"a card alone":             {map[string]string{"vcard": card(picture)}, hash(picture), "", "Bo", "", 2},
		"the same":                 {map[string]string{"vcard": card(other), "metadata": metadata(info)}, hash(other), "", "Bo", "", 2},
		"another":                  {map[string]string{"vcard": card(picture), "metadata": metadata(info), "data": data(other)}, hash(other), "", "Bo", "", 3},
		"an avatar alone":          {map[string]string{"metadata": metadata(info), "data": data(other)}, hash(other), "", "", "", 3},
		"no avatar any more":       {map[string]string{"vcard": card(picture), "metadata": metadata("")}, hash(picture), "", "Bo", "", 2},
		"bytes that are not there": {map[string]string{"vcard": card(picture), "metadata": metadata(info)}, hash(picture), "", "Bo", "", 3},
		"other bytes":              {map[string]string{"vcard": card(picture), "metadata": metadata(info), "data": data(picture)}, hash(picture), "", "Bo", "", 3},
		"other bytes, and no card": {map[string]string{"metadata": metadata(info), "data": data(picture)}, "", "", "", perch.KindItemNotFound, 3},
		"an avatar that is elsewhere": {map[string]string{"vcard": card(picture), "metadata": metadata("<info id='" + hash(other) + "' url='https://b.test/o.png'/>")},
			hash(other), "https://b.test/o.png", "Bo", "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{answers: tt.answers}
			c := s.cards(perch.Capabilities{})
			v, err := c.VCard(context.Background(), "bo@b.test/phone")
			if tt.kind == "" && err != nil || tt.kind != "" && perch.KindOf(err) != tt.kind {
				t.Fatalf("VCard(): got error %v, want the kind %q", err, tt.kind)
			}
			got, url := "", ""
			if v.Photo != nil {
				got, url = v.Photo.Hash, v.Photo.URL
			}
			if err == nil && (v.JID != "bo@b.test" || v.FullName != tt.name || v.FetchedAt.IsZero()) || got != tt.hash || url != tt.url {
				t.Errorf("VCard(): got %+v with the photo %s at %q, want %q with %s at %q", v, got, url, tt.name, tt.hash, tt.url)
			}
			if len(s.asked) != tt.asked {
				t.Errorf("asked %q, want %d requests", s.asked, tt.asked)
			}
		})
	}
	s := &server{answers: map[string]string{"vcard": card(picture)}}
	c := s.cards(perch.Capabilities{ChatOnly: true})
	if _, err := c.VCard(context.Background(), ""); err != nil || !slices.Equal(s.asked, []string{"get vcard"}) {
		t.Errorf("on a service of chat alone: %v after %q, want no error after the card", err, s.asked)
	}
}

// TestSetPhoto: where the server makes one of the other, the avatar is enough.
func TestSetPhoto(t *testing.T) {
	for name, tt := range map[string]struct {
		can   perch.Capabilities
		data  string
		asked []string
		kind  perch.Kind
	}{
		"both by the server":  {perch.Capabilities{PEP: true, AvatarConversion: true, StoreVCard: true}, picture, []string{"set data", "set metadata"}, ""},
		"none, by the server": {perch.Capabilities{PEP: true, AvatarConversion: true, StoreVCard: true}, "", []string{"set metadata"}, ""},
		"both by us":          {perch.Capabilities{PEP: true, StoreVCard: true}, picture, []string{"set data", "set metadata", "get vcard", "set vcard"}, ""},
		"a card alone":        {perch.Capabilities{StoreVCard: true}, picture, []string{"get vcard", "set vcard"}, ""},
		"neither":             {perch.Capabilities{}, picture, nil, perch.KindFeatureUnsupported},
		"a service of chat":   {perch.Capabilities{ChatOnly: true, StoreVCard: true}, picture, nil, perch.KindFeatureUnsupported},
		"what is no picture":  {perch.Capabilities{StoreVCard: true}, "<svg/>", []string{"get vcard"}, perch.KindValidation},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{}
			c := s.cards(tt.can)
			err := c.SetPhoto(context.Background(), []byte(tt.data))
			if tt.kind == "" && err != nil || tt.kind != "" && perch.KindOf(err) != tt.kind {
				t.Errorf("SetPhoto(): got error %v, want the kind %q", err, tt.kind)
			}
			if diff := cmp.Diff(tt.asked, s.asked); diff != "" {
				t.Errorf("asked: -want +got:\n%s", diff)
			}
		})
	}
}
