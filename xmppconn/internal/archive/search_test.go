package archive_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/archive"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// formOf is an answer with one field.
func formOf(field string) string {
	return "<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data'><field var='" + field + "'/></x></query>"
}

// searchable has archives that answer for their forms with a field or an error, and to queries with nothing.
func searchable(t *testing.T, forms map[perch.JID]any) *server {
	return newServer(t, "313", func(_ *archive.Reader, typ string, to perch.JID, _ *xmlstream.Element) (string, error) {
		if typ == "set" {
			return fin, nil
		}
		switch form := forms[to].(type) {
		case error:
			return "", form
		case string:
			return formOf(form), nil
		}
		return "", nil
	})
}

func search(s *server, room perch.JID) error {
	_, err := s.reader.Of(s.t.Context(), room, perch.ArchiveQuery{Text: "tea"})
	return err
}

// TestFormIsAskedOnce: an archive is asked for its form once, whatever it said; of an answer that says
// nothing about that it is asked again. Where it cannot be searched no query is sent.
func TestFormIsAskedOnce(t *testing.T) {
	const form, query = "get talk@muc.test urn:xmpp:mam:2", "set talk@muc.test urn:xmpp:mam:2"
	for name, tt := range map[string]struct {
		answer any
		kind   perch.Kind
		asked  []string // in two searches
	}{
		"a field":                {"withtext", "", []string{form, query, query}},
		"none":                   {"start", perch.KindFeatureUnsupported, []string{form}},
		"an empty answer":        {nil, perch.KindFeatureUnsupported, []string{form}},
		"no archive":             {refusal("service-unavailable"), perch.KindFeatureUnsupported, []string{form}},
		"an archive without one": {refusal("feature-not-implemented"), perch.KindFeatureUnsupported, []string{form}},
		"not understood":         {refusal("bad-request"), perch.KindFeatureUnsupported, []string{form}},
		"not allowed":            {refusal("forbidden"), perch.KindXMPP, []string{form, form}},
		"no answer":              {perch.Errorf(perch.KindUpstreamTimeout, "no answer"), perch.KindUpstreamTimeout, []string{form, form}},
	} {
		s := searchable(t, map[perch.JID]any{"talk@muc.test": tt.answer})
		for range 2 {
			if err := search(s, "talk@muc.test"); (err == nil) != (tt.kind == "") || err != nil && perch.KindOf(err) != tt.kind {
				t.Errorf("%s: got error %v, want kind %q", name, err, tt.kind)
			}
		}
		if diff := cmp.Diff(tt.asked, s.asked); diff != "" {
			t.Errorf("%s: asked, -want +got:\n%s", name, diff)
		}
	}
}

// TestFormsDiffer: of the own archive is known what it told at the login, and nothing of rooms.
func TestFormsDiffer(t *testing.T) {
	s := searchable(t, map[perch.JID]any{"talk@muc.test": "withtext"})
	if s.reader.Searches() {
		t.Error("Searches() = true before there is an answer, want false")
	}
	if field, err := s.reader.Learn("", streamtest.Parse(t, formOf("full-text-search")), nil); field != "full-text-search" || err != nil {
		t.Fatalf("Learn() = %q, %v; want full-text-search", field, err)
	}
	if !s.reader.Searches() {
		t.Error("Searches() = false, want true")
	}
	for _, room := range []perch.JID{"", "talk@muc.test"} {
		if err := search(s, room); err != nil {
			t.Errorf("the archive %q: got error %v, want none", room, err)
		}
	}
	want := []string{"set urn:xmpp:mam:2", "get talk@muc.test urn:xmpp:mam:2", "set talk@muc.test urn:xmpp:mam:2"}
	if diff := cmp.Diff(want, s.asked); diff != "" {
		t.Errorf("asked, -want +got:\n%s", diff)
	}
}

// TestFormsAreBounded: a client that searches any number of rooms does not fill the memory, and the own
// archive is not forgotten over them.
func TestFormsAreBounded(t *testing.T) {
	s := searchable(t, map[perch.JID]any{"": "withtext"})
	if err := search(s, ""); err != nil {
		t.Fatalf("the own archive: got error %v, want none", err)
	}
	for i := range 200 {
		if err := search(s, perch.JID(fmt.Sprintf("r%d@muc.test", i))); perch.KindOf(err) != perch.KindFeatureUnsupported {
			t.Fatalf("room %d: got error %v, want %s", i, err, perch.KindFeatureUnsupported)
		}
	}
	if got := s.reader.Forms(); got != 64 {
		t.Errorf("got %d archives that are remembered, want 64", got)
	}
	if !s.reader.Searches() {
		t.Error("Searches() = false after many rooms, want true")
	}
}
