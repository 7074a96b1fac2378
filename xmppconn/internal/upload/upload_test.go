package upload_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/upload"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// server answers by "to kind", with XML or an error.
type server struct {
	t       *testing.T
	answers map[string]any
	mu      sync.Mutex
	asked   []string
}

func (s *server) ask(_ context.Context, kind, typ string, to perch.JID, payload []byte, part func(*xmlstream.Borrowed)) (*xmlstream.Element, error) {
	s.mu.Lock()
	s.asked = append(s.asked, string(to)+" "+kind+" "+typ+" "+string(payload))
	s.mu.Unlock()
	switch answer := s.answers[string(to)+" "+kind].(type) {
	case error:
		return nil, answer
	case string:
		el := streamtest.Parse(s.t, answer)
		if part != nil {
			part(el.Borrowed())
			return nil, nil
		}
		return el, nil
	}
	return nil, &perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: "service-unavailable"}}
}

// refused is the error of a request that was answered with a condition, and more.
func refused(condition string, more error) error {
	return &perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: condition, Text: "no"}, Err: more}
}

const (
	info  = "<query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:http:upload:0'/>"
	form  = "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE'><value>urn:xmpp:http:upload:0</value></field><field var='max-file-size'><value>500</value></field></x></query>"
	items = "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='c.a.test'/><item jid='up.a.test'/><item jid='up2.a.test'/></query>"
	slot  = "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://up.test/a'/><get url='https://up.test/b'/></slot>"
)

var errSilence = perch.Errorf(perch.KindUpstreamTimeout, "no answer")

// TestService finds the first service that the server names, or the server itself.
func TestService(t *testing.T) {
	for name, tc := range map[string]struct {
		answers map[string]any
		want    perch.UploadService
		kind    perch.Kind
	}{
		"the first of two":         {map[string]any{"a.test disco_items": items, "up.a.test disco_info": info + form, "up2.a.test disco_info": info + "</query>"}, perch.UploadService{JID: "up.a.test", MaxSize: 500}, ""},
		"without a limit":          {map[string]any{"a.test disco_items": items, "up2.a.test disco_info": info + "</query>"}, perch.UploadService{JID: "up2.a.test"}, ""},
		"the server itself":        {map[string]any{"a.test disco_items": items, "a.test disco_info": info + form}, perch.UploadService{JID: "a.test", MaxSize: 500}, ""},
		"one does not answer":      {map[string]any{"a.test disco_items": items, "c.a.test disco_info": errSilence, "up.a.test disco_info": info + form}, perch.UploadService{JID: "up.a.test", MaxSize: 500}, ""},
		"one that may be does not": {map[string]any{"a.test disco_items": items, "up.a.test disco_info": errSilence}, perch.UploadService{}, perch.KindUpstreamTimeout},
		"none":                     {map[string]any{"a.test disco_items": items}, perch.UploadService{}, ""},
		"the server is silent":     {map[string]any{"a.test disco_items": errSilence}, perch.UploadService{}, perch.KindUpstreamTimeout},
	} {
		s := &server{t: t, answers: tc.answers}
		got, err := upload.Ask(s.ask).UploadService(t.Context(), "a.test")
		if kind := perch.KindOf(err); got != tc.want || err != nil && kind != tc.kind || err == nil && tc.kind != "" {
			t.Errorf("%s: got %+v, %v, want %+v, kind %q", name, got, err, tc.want, tc.kind)
		}
	}
}

// TestServiceIsBounded: of a server that names very many only the first are asked.
func TestServiceIsBounded(t *testing.T) {
	s := &server{t: t, answers: map[string]any{"a.test disco_items": "<query xmlns='http://jabber.org/protocol/disco#items'>" + strings.Repeat("<item jid='x.test'/>", 1000) + "</query>"}}
	if _, err := upload.Ask(s.ask).UploadService(t.Context(), "a.test"); err != nil {
		t.Fatalf("Service: got error %v, want none", err)
	}
	if got := len(s.asked); got != 1+64+1 {
		t.Errorf("got %d requests, want one for the list, 64 of it, and one for the server itself", got)
	}
}

// TestSlot asks for a slot.
func TestSlot(t *testing.T) {
	s := &server{t: t, answers: map[string]any{"up.test upload_slot": slot}}
	got, err := upload.Ask(s.ask).UploadSlot(t.Context(), "up.test", perch.UploadFile{Name: "a.png", Size: 70, Type: "image/png"})
	if err != nil || got.Put.Reveal() != "https://up.test/a" || got.Get != "https://up.test/b" {
		t.Errorf("got %+v, %v, want the slot", got, err)
	}
	want := []string{"up.test upload_slot get <request xmlns='urn:xmpp:http:upload:0' filename='a.png' size='70' content-type='image/png'/>"}
	if !slices.Equal(s.asked, want) {
		t.Errorf("got %q, want %q", s.asked, want)
	}
}

// TestSlotRefused gives each refusal the kind that it has for a file.
func TestSlotRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := perch.At(time.Now())
		for name, tc := range map[string]struct {
			err     error
			kind    perch.Kind
			maxSize int64
			retry   time.Duration
		}{
			"too large":            {refused("not-acceptable", &stanza.SlotRefusal{TooLarge: true, MaxSize: 9}), perch.KindFileTooLarge, 9, 0},
			"too large, unknown":   {refused("not-acceptable", &stanza.SlotRefusal{TooLarge: true}), perch.KindFileTooLarge, 0, 0},
			"no quota":             {refused("resource-constraint", &stanza.SlotRefusal{Retry: now + 90_000}), perch.KindQuotaExceeded, 0, 90 * time.Second},
			"no quota, long since": {refused("resource-constraint", &stanza.SlotRefusal{Retry: now - 90_000}), perch.KindQuotaExceeded, 0, time.Second},
			"no quota, unknown":    {refused("resource-constraint", nil), perch.KindQuotaExceeded, 0, 0},
			"forbidden":            {refused("forbidden", nil), perch.KindForbidden, 0, 0},
			"not such a file":      {refused("not-acceptable", nil), perch.KindValidation, 0, 0},
			"another":              {refused("internal-server-error", nil), perch.KindXMPP, 0, 0},
			"silence":              {errSilence, perch.KindUpstreamTimeout, 0, 0},
		} {
			s := &server{t: t, answers: map[string]any{"up.test upload_slot": tc.err}}
			_, err := upload.Ask(s.ask).UploadSlot(t.Context(), "up.test", perch.UploadFile{Name: "a", Size: 10})
			e, ok := errors.AsType[*perch.Error](err)
			if !ok || e.Kind != tc.kind || e.MaxSize != tc.maxSize || e.RetryAfter != tc.retry {
				t.Errorf("%s: got %+v, want kind %s, limit %d, retry after %v", name, e, tc.kind, tc.maxSize, tc.retry)
			}
			if tc.kind != perch.KindUpstreamTimeout && perch.ConditionOf(err) == "" {
				t.Errorf("%s: got no condition, want that of the service", name)
			}
		}
	})
}

// TestSlotUnsound: nothing is sent of a file that cannot be written, and an answer without a slot is an error.
func TestSlotUnsound(t *testing.T) {
	s := &server{t: t, answers: map[string]any{"up.test upload_slot": "<slot xmlns='urn:xmpp:http:upload:0'/>"}}
	if _, err := upload.Ask(s.ask).UploadSlot(t.Context(), "up.test", perch.UploadFile{Name: "a\x00"}); perch.KindOf(err) != perch.KindValidation || len(s.asked) != 0 {
		t.Errorf("got error %v after %d requests, want kind %s and none", err, len(s.asked), perch.KindValidation)
	}
	if _, err := upload.Ask(s.ask).UploadSlot(t.Context(), "up.test", perch.UploadFile{Name: "a"}); perch.KindOf(err) != perch.KindXMPP {
		t.Errorf("got error %v, want kind %s", err, perch.KindXMPP)
	}
}
