package xmppconn

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// formOf is the answer of an archive with these fields.
func formOf(fields ...string) string {
	form := ""
	for _, name := range fields {
		form += "<field var='" + name + "' type='text-single'/>"
	}
	return "<query xmlns='" + nsMAM + "'><x xmlns='jabber:x:data' type='form'>" + form + "</x></query>"
}

// searchQuery is what a query asks for, by the fields of its form, and by which page.
func searchQuery(iq *xmlstream.Element) map[string]string {
	got := map[string]string{"to": iq.Attr("to")}
	query := iq.Child(nsMAM, "query")
	for _, f := range query.Child("jabber:x:data", "x").Children() {
		got[f.Attr("var")] = f.ChildText("jabber:x:data", "value")
	}
	for _, el := range query.Child(nsRSM, "set").Children() {
		got[el.Local()] = el.Text()
	}
	return got
}

const fin = "<fin xmlns='" + nsMAM + "' complete='true'><set xmlns='" + nsRSM + "'/></fin>"

// TestArchiveForm: a login with an archive asks for its form, and does not wait for the answer. With it the
// connection knows how to search, and the state of the stream that it can.
func TestArchiveForm(t *testing.T) {
	bubble(t, "login", func(t *testing.T) {
		s := newSMServer(t)
		var asked map[string]string
		s.serve("xmpp.a.test:5222", func(p *fakeServer) {
			p.startTLS()
			p.open(offerSASL("OAUTHBEARER"))
			p.expect(nsSASL, "auth")
			p.send(saslSuccess)
			p.open(offerBind + offerSM)
			p.result(p.next(), "<bind xmlns='"+nsBind+"'><jid>"+smSelf+"</jid></bind>")
			p.result(p.expect(nsClient, "iq"), "<query xmlns='"+nsDiscoInfo+"'><feature var='"+nsMAM+"'/></query>")
			p.expect(nsClient, "iq") // carbons
			form := p.expect(nsClient, "iq")
			p.expect(nsSM, "enable")
			p.send("<enabled xmlns='" + nsSM + "' id='sm-1' resume='true' max='300'/>")
			if form.Attr("type") != "get" || form.Attr("to") != "" || form.Child(nsMAM, "query") == nil {
				t.Errorf("got %+v, want the question for the form of the own archive", form)
			}
			s.connected <- p
			p.result(form, formOf("with", "withtext"))
			query := p.expect(nsClient, "iq")
			asked = searchQuery(query)
			p.result(query, fin)
			p.drain()
		})
		c, b, _ := s.connect(nil)
		b.take()
		if !c.SearchesArchive() || !parseStreamState(c.StreamState()).Caps.Search {
			t.Errorf("SearchesArchive() = %v, in the state %v; want both true", c.SearchesArchive(), parseStreamState(c.StreamState()).Caps.Search)
		}
		q := perch.ArchiveQuery{With: "bo@b.test", Start: 1000, End: 2000, Before: "b1", Limit: 7, Text: "tea & <milk>"}
		if _, err := c.Archive(context.Background(), q); err != nil {
			t.Fatalf("c.Archive(): got error %v, want none", err)
		}
		want := map[string]string{
			"to": "", "FORM_TYPE": nsMAM, "with": "bo@b.test", "start": "1970-01-01T00:00:01.000Z", "end": "1970-01-01T00:00:02.000Z",
			"withtext": "tea & <milk>", "max": "7", "before": "b1",
		}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Errorf("query, -want +got:\n%s", diff)
		}
	})
}

// TestSearchIsRefusedBeforeAQuery: where an archive has no field for it nothing is asked but its form, and
// an archive by XEP-0136 is asked nothing.
func TestSearchIsRefusedBeforeAQuery(t *testing.T) {
	for name, tt := range map[string]struct {
		archive string
		answer  func(iq *xmlstream.Element) string // nil: it must not be asked
		room    bool
	}{
		"XEP-0136":                 {"136", nil, false},
		"no archive":               {"", nil, false},
		"a form without the field": {"313", func(iq *xmlstream.Element) string { return resultOf(iq, formOf("with", "start")) }, false},
		"a room without the field": {"313", func(iq *xmlstream.Element) string {
			return "<iq type='result' id='" + iq.Attr("id") + "' from='talk@muc.test'>" + formOf("with") + "</iq>"
		}, true},
		"a room without an archive": {"313", func(iq *xmlstream.Element) string { return errorOf(iq, "service-unavailable") }, true},
	} {
		bubble(t, name, func(t *testing.T) {
			_, c, _, p := online(t, messengerUp())
			c.login.Capabilities.Archive, c.login.Capabilities.ChatOnly = tt.archive, false
			var asked []string
			p.script(func(p *fakeServer) {
				for {
					iq := p.expect(nsClient, "iq")
					asked = append(asked, iq.Attr("type"))
					p.send(tt.answer(iq))
				}
			})
			ask := func() (err error) {
				if tt.room {
					_, err = c.RoomArchive(context.Background(), "talk@muc.test", perch.ArchiveQuery{Text: "tea"})
				} else {
					_, err = c.Archive(context.Background(), perch.ArchiveQuery{Text: "tea"})
				}
				return err
			}
			for range 2 {
				if err := ask(); perch.KindOf(err) != perch.KindFeatureUnsupported {
					t.Errorf("got error %v, want %s", err, perch.KindFeatureUnsupported)
				}
			}
			want := []string{"get"}
			if tt.answer == nil {
				want = nil
			}
			if diff := cmp.Diff(want, asked); diff != "" {
				t.Errorf("asked, -want +got:\n%s", diff)
			}
		})
	}
}
