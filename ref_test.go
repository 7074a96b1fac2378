package perch_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

func TestRefs(t *testing.T) {
	for name, c := range map[string]struct {
		m    perch.Message
		sent bool
		want perch.Ref
	}{
		"received":        {perch.Message{ID: "m/1", StanzaID: "s1"}, false, perch.Ref{ID: "m/1"}},
		"sent":            {perch.Message{ID: "m/1"}, true, perch.Ref{ID: "m/1", Sent: true}},
		"without an id":   {perch.Message{StanzaID: "s1"}, false, perch.Ref{StanzaID: "s1"}},
		"of a room":       {perch.Message{ID: "m1", RoomStanzaID: "r1", Kind: perch.GroupchatMessage}, false, perch.Ref{StanzaID: "r1", Room: true}},
		"without archive": {perch.Message{ID: "m1", Kind: perch.GroupchatMessage}, false, perch.Ref{ID: "m1"}},
	} {
		text := perch.RefOf(&c.m, c.sent)
		if got, err := perch.ParseRef(text); err != nil || got != c.want || strings.ContainsAny(text, "/+=%") {
			t.Errorf("%s: got handle %q of %+v (%v), want one for a path, of %+v", name, text, got, err, c.want)
		}
	}
	for _, m := range []perch.Message{{}, {ID: strings.Repeat("x", 1025)}} {
		if got := perch.RefOf(&m, false); got != "" {
			t.Errorf("RefOf(%.20q) = %.20q, want none", m.ID, got)
		}
	}
}

func FuzzParseRef(f *testing.F) {
	for _, text := range []string{"", "i", "ibTE", "obTE", "aczE", "rczE", "xbTE", "ibTE=", "ibT\nE", "ibTF"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := perch.ParseRef(text)
		if err != nil {
			if perch.KindOf(err) != perch.KindValidation {
				t.Errorf("ParseRef(%q): got error %v, want one of %s", text, err, perch.KindValidation)
			}
			return
		}
		if got := r.String(); got != text {
			t.Errorf("ParseRef(%q) = %+v, which is written as %q; want the same", text, r, got)
		}
	})
}
