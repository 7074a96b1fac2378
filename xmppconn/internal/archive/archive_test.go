package archive_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/archive"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const self = perch.JID("me@a.test/home")

// server answers what a Reader asks.
type server struct {
	t      *testing.T
	answer func(r *archive.Reader, typ string, to perch.JID, payload *xmlstream.Element) (string, error)
	reader archive.Reader
	login  perch.Login
	asked  []string
}

func newServer(t *testing.T, kind string, answer func(*archive.Reader, string, perch.JID, *xmlstream.Element) (string, error)) *server {
	s := &server{t: t, answer: answer, login: perch.Login{JID: self, Capabilities: perch.Capabilities{Archive: kind}}}
	s.reader = archive.New(s.ask, &s.login)
	return s
}

func (s *server) ask(_ context.Context, typ string, to perch.JID, payload []byte) (*xmlstream.Element, error) {
	el := streamtest.Parse(s.t, string(payload))
	s.asked = append(s.asked, strings.Join(strings.Fields(typ+" "+string(to)+" "+el.Space()), " "))
	raw, err := s.answer(&s.reader, typ, to, el)
	if err != nil || raw == "" {
		return nil, err
	}
	return streamtest.Parse(s.t, raw), nil
}

func refusal(condition string) error {
	return &perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: condition}}
}

const fin = "<fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'><first>1</first><last>1</last></set></fin>"

// result is a message of an archive, as the codec gives it.
func result(queryID string, from perch.JID, body string) *stanza.ArchiveResult {
	return &stanza.ArchiveResult{QueryID: queryID, From: from, Item: &perch.ArchiveItem{MessageIn: perch.MessageIn{Message: perch.Message{StanzaID: "1", Body: body}}}}
}

// TestOwnArchive asks in the way that the upstream has; what it has not is asked nothing. When it is over
// no query is open, whatever the answer was.
func TestOwnArchive(t *testing.T) {
	const chat = "<chat xmlns='urn:xmpp:archive' with='b@b.test' start='2012-05-01T10:00:00Z'><from secs='0'><body>hi</body></from></chat>"
	for name, tt := range map[string]struct {
		kind, answer string
		err          error
		asked        []string
		items        int
		want         perch.Kind // "": no error
	}{
		"XEP-0136":                        {"136", chat, nil, []string{"get urn:xmpp:archive"}, 1, ""},
		"XEP-0136, nothing":               {"136", "", refusal("item-not-found"), []string{"get urn:xmpp:archive"}, 0, ""},
		"XEP-0136, refused":               {"136", "", refusal("forbidden"), []string{"get urn:xmpp:archive"}, 0, perch.KindXMPP},
		"XEP-0313":                        {"313", fin, nil, []string{"set urn:xmpp:mam:2"}, 1, ""},
		"XEP-0313, refused":               {"313", "", refusal("item-not-found"), []string{"set urn:xmpp:mam:2"}, 0, perch.KindXMPP},
		"XEP-0313, an answer without fin": {"313", "", nil, []string{"set urn:xmpp:mam:2"}, 0, perch.KindXMPP},
		"none":                            {"", "", nil, nil, 0, perch.KindFeatureUnsupported},
	} {
		s := newServer(t, tt.kind, func(r *archive.Reader, _ string, _ perch.JID, payload *xmlstream.Element) (string, error) {
			if tt.kind == "313" {
				r.Take(result(payload.Attr("queryid"), self.Bare(), "hi"))
			}
			return tt.answer, tt.err
		})
		page, err := s.reader.Own(t.Context(), perch.ArchiveQuery{With: "b@b.test", Limit: 5})
		if (err == nil) != (tt.want == "") || err != nil && perch.KindOf(err) != tt.want || len(page.Items) != tt.items || err == nil && page.Items == nil {
			t.Errorf("%s: got %+v, %v; want %d items, kind %q", name, page, err, tt.items, tt.want)
		}
		if diff := cmp.Diff(tt.asked, s.asked); diff != "" {
			t.Errorf("%s: asked, -want +got:\n%s", name, diff)
		}
		if n := s.reader.Queries(); n != 0 {
			t.Errorf("%s: %d queries are open, want 0", name, n)
		}
	}
}

// TestTake: a result counts where the archive that was asked sends it.
func TestTake(t *testing.T) {
	s := newServer(t, "313", nil)
	r := &s.reader
	r.Open("own", "", perch.ArchiveQuery{})
	r.Open("room", "talk@muc.test", perch.ArchiveQuery{})
	broken := &stanza.ArchiveResult{QueryID: "own", Broken: true}
	for name, tt := range map[string]struct {
		result *stanza.ArchiveResult
		want   archive.Taken
	}{
		"the own archive":            {result("own", self.Bare(), "hi"), archive.Item},
		"nobody":                     {result("own", "", "hi"), archive.Item},
		"a room":                     {result("room", "talk@muc.test", "hi"), archive.Item},
		"another account":            {result("own", "eve@a.test", "hi"), archive.Forged},
		"another room":               {result("room", "other@muc.test", "hi"), archive.Forged},
		"a room for the own archive": {result("own", "talk@muc.test", "hi"), archive.Forged},
		"of no query":                {result("old", self.Bare(), "hi"), archive.Forged},
		"without a message":          {broken, archive.Broken},
		"with nothing to show":       {&stanza.ArchiveResult{QueryID: "own"}, archive.Silent},
	} {
		if got := r.Take(tt.result); got != tt.want {
			t.Errorf("%s: got %d, want %d", name, got, tt.want)
		}
	}
}

// TestPagesShareABound: queries at once have room for some full pages together.
func TestPagesShareABound(t *testing.T) {
	s := newServer(t, "313", nil)
	r := &s.reader
	var queries []*stanza.ArchivePage
	for i := range 10 {
		id := fmt.Sprint("q", i)
		queries = append(queries, r.Open(id, "", perch.ArchiveQuery{After: "a"}))
		for range 10 {
			r.Take(result(id, self.Bare(), strings.Repeat("x", 900_000)))
		}
	}
	n := 0
	for _, q := range queries {
		for i := range q.Items {
			n += len(q.Items[i].Body)
		}
	}
	if n > archive.MaxBytes || n < archive.MaxBytes/2 {
		t.Errorf("%d bytes are kept, want at most %d and more than half of it", n, archive.MaxBytes)
	}
	if _, err := queries[9].Page(stanza.MAMFin{Last: "9", Complete: true}); !errors.Is(err, perch.ErrAnswerTooLarge) {
		t.Errorf("a page that found no room: %v, want ErrAnswerTooLarge", err)
	}
	for i := range queries {
		r.Close(fmt.Sprint("q", i))
	}
	again := r.Open("again", "", perch.ArchiveQuery{After: "a"})
	r.Take(&stanza.ArchiveResult{QueryID: "again", From: self.Bare(), Item: &perch.ArchiveItem{}})
	if len(again.Items) != 1 || again.Truncated {
		t.Errorf("%d items, cut %v after the others have ended, want 1 and false", len(again.Items), again.Truncated)
	}
}
