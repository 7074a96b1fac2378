package stanza_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// TestParseTime reads times as people send them.
func TestParseTime(t *testing.T) {
	want := perch.At(time.Date(2026, 8, 30, 8, 4, 53, 0, time.UTC))
	for _, s := range []string{
		"2026-08-30T08:04:53Z", "2026-08-30T08:04:53+0000", "2026-08-30T08:04:53", "20260830T08:04:53", "20260830T080453Z",
		"20260830080453", "2026-08-30 08:04:53", "2026-08-30t08:04:53z", " 2026-08-30T08:04:53.000000000000Z\n", "2026-08-30T08:04:53,0Z",
		"2026-08-30T10:04:53+02:00", "2026-08-30T10:04:53+02", "2026-08-30T03:34:53-0430", "2026-08-30T08:04:53 UTC", "2026-08-30 08:04:53 GMT",
		"2026-08-30T08:04:53 +0000", "20260830T08:04:53Z", "2026-08-30T08:04:53-00:00",
	} {
		if got := stanza.ParseTime(s); got != want {
			t.Errorf("%q is %v, want %v", s, got, want)
		}
	}
	for s, want := range map[string]string{
		"2026-08-30T08:04":               "2026-08-30T08:04:00.000Z",
		"2026-08-30T08:04+02:00":         "2026-08-30T06:04:00.000Z",
		"2026-08-30":                     "2026-08-30T00:00:00.000Z",
		"20260830":                       "2026-08-30T00:00:00.000Z",
		"2026-08-30T24:00:00Z":           "2026-08-31T00:00:00.000Z",
		"2016-12-31T23:59:60Z":           "2017-01-01T00:00:00.000Z",
		"2026-08-30T08:04:53.1239999Z":   "2026-08-30T08:04:53.123Z",
		"2026-08-30T08:04:53.5":          "2026-08-30T08:04:53.500Z",
		"2024-02-29T00:00:00Z":           "2024-02-29T00:00:00.000Z",
		"":                               "",
		"soon":                           "",
		"2026":                           "",
		"2026-08":                        "",
		"2026-0830":                      "",
		"2026-13-01T00:00:00Z":           "",
		"2026-02-30T00:00:00Z":           "",
		"2026-08-30T25:00:00Z":           "",
		"2026-08-30T08:60:00Z":           "",
		"2026-08-30T08:04:61Z":           "",
		"2026-08-29T24:04:53":            "",
		"2026-08-30T08:03:113":           "",
		"2026-08-30T":                    "",
		"2026-08-30T08":                  "",
		"2026-08-30T08:04:53.Z":          "",
		"2026-08-30T08:04:53+24:00":      "",
		"2026-08-30T08:04:53+02:":        "",
		"2026-08-30T08:04:53 CET":        "",
		"2026-08-30T08:04:53Z trailing":  "",
		"0001-01-01T00:00:00Z":           "",
		"1970-01-01T00:00:00Z":           "",
		"\u0662\u0660\u0662\u0666-08-30": "",
	} {
		if got := stanza.ParseTime(s).String(); got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
}

const (
	oldest = "<delay xmlns='urn:xmpp:delay' from='x.test' stamp='2024-01-01T10:00:00Z'/>"
	newer  = "<delay xmlns='urn:xmpp:delay' from='y.test' stamp='2024-01-02T10:00:00Z'/>"
	legacy = "<x xmlns='jabber:x:delay' from='z.test' stamp='20230101T10:00:00'/>"
	unread = "<delay xmlns='urn:xmpp:delay' from='u.test' stamp='soon'/>"
	future = "<delay xmlns='urn:xmpp:delay' stamp='2030-01-01T00:00:00Z'/>"
)

// TestDelayOfSeveral chooses among the delays of one stanza.
func TestDelayOfSeveral(t *testing.T) {
	for _, tt := range []struct{ name, delays, stamp, from string }{
		{"the oldest", newer + oldest, "2024-01-01T10:00:00.000Z", "x.test"},
		{"in either order", oldest + newer, "2024-01-01T10:00:00.000Z", "x.test"},
		{"not the old form", legacy + newer, "2024-01-02T10:00:00.000Z", "y.test"},
		{"the old form alone", legacy, "2023-01-01T10:00:00.000Z", "z.test"},
		{"the old form as XEP-0082 has it", strings.Replace(legacy, "20230101T10:00:00", "2023-01-01T10:00:00Z", 1), "2023-01-01T10:00:00.000Z", "z.test"},
		{"the old form with Z", strings.Replace(legacy, ":00'", ":00Z'", 1), "2023-01-01T10:00:00.000Z", "z.test"},
		{"one that can be read", unread + oldest, "2024-01-01T10:00:00.000Z", "x.test"},
		{"the old form, when the other cannot be read", unread + legacy, "2023-01-01T10:00:00.000Z", "z.test"},
		{"none can be read", unread + strings.Replace(legacy, "2023", "year", 1), "", "u.test"},
		{"without a stamp", "<delay xmlns='urn:xmpp:delay' from='u.test'/>", "", "u.test"},
		{"not one in the future", future + newer, "2024-01-02T10:00:00.000Z", "y.test"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := delayIn(t, tt.delays)
			if d == nil || d.Stamp.String() != tt.stamp || d.From != tt.from {
				t.Errorf("got %+v, want %s by %s", d, tt.stamp, tt.from)
			}
		})
	}
	if d := delayIn(t, future); d != nil {
		t.Errorf("a delay in the future: got %+v, want none", d)
	}
}

// delayIn is the delay of a message with these delays in it.
func delayIn(t *testing.T, delays string) *perch.Delay {
	t.Helper()
	in := decodeText(t, "<message from='bo@b.test'><body>hi</body>"+delays+"</message>", testNow).In
	if len(in) != 1 {
		t.Fatalf("got %+v, want a message", in)
	}
	return in[0].(*perch.MessageIn).Delay
}

// TestDelayOfWrapper finds the delay of a carbon wherever it stands, in both directions.
func TestDelayOfWrapper(t *testing.T) {
	for name, tt := range map[string]struct{ outer, forwarded, inner, want string }{
		"around the carbon":         {outer: newer, want: "y.test"},
		"in the forwarding":         {forwarded: newer, want: "y.test"},
		"in the message":            {inner: newer, want: "y.test"},
		"the innermost":             {outer: oldest, forwarded: oldest, inner: newer, want: "y.test"},
		"the innermost of wrappers": {outer: oldest, forwarded: newer, want: "y.test"},
		"the one that can be read":  {outer: newer, inner: unread, want: "y.test"},
		"none that can be read":     {outer: unread, want: "u.test"},
		"the old form":              {outer: legacy, want: "z.test"},
		"none":                      {},
	} {
		for _, sent := range []bool{false, true} {
			kind, from, to := "received", "bo@b.test/x", "me@a.test/phone"
			if sent {
				kind, from, to = "sent", to, from
			}
			raw := "<message from='me@a.test' to='me@a.test/home'>" + tt.outer + "<" + kind + " xmlns='urn:xmpp:carbons:2'>" +
				"<forwarded xmlns='urn:xmpp:forward:0'>" + tt.forwarded + "<message xmlns='jabber:client' from='" + from + "' to='" + to +
				"' type='chat'><body>hi</body><composing xmlns='" + nsChatStates + "'/>" + tt.inner + "</message></forwarded></" + kind + "></message>"
			in := decodeText(t, raw, testNow).In
			m, ok := in[0].(*perch.MessageIn)
			if !ok || m.Sent != sent {
				t.Fatalf("%s: got %+v, want Sent %v", name, in, sent)
			}
			got := ""
			if m.Delay != nil {
				got = m.Delay.From
			}
			if got != tt.want {
				t.Errorf("%s (%s): the delay is by %q, want %q", name, kind, got, tt.want)
			}
			if states := len(in) - 1; states != 0 && (sent || tt.want != "") {
				t.Errorf("got %s (%s): a chat state of the past, want none", name, kind)
			}
		}
	}
}

// TestDelayedChatState gives no event: a chat state is about the moment it was sent in.
func TestDelayedChatState(t *testing.T) {
	for name, delay := range map[string]string{
		"delayed": oldest, "old form": legacy, "a time that cannot be read": unread, "a clock that is ahead": future,
		"no stamp": "<delay xmlns='urn:xmpp:delay'/>",
	} {
		for _, body := range []string{"", "<body>hi</body>"} {
			for _, state := range []string{"active", "composing", "paused", "inactive", "gone"} {
				raw := "<message from='bo@b.test/x' type='chat'>" + body + "<" + state + " xmlns='" + nsChatStates + "'/>" + delay + "</message>"
				for _, in := range decodeText(t, raw, testNow).In {
					if s, ok := in.(*perch.ChatStateIn); ok {
						t.Errorf("%s, body %q: got the state %s; want none", name, body, s.State)
					}
				}
			}
		}
	}
	live := decodeText(t, "<message from='bo@b.test/x' type='chat'><composing xmlns='"+nsChatStates+"'/></message>", testNow)
	if diff := cmp.Diff([]perch.Inbound{&perch.ChatStateIn{From: "bo@b.test/x", State: perch.StateComposing}}, live.In); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// FuzzTime holds that what can be read is read the same in its normal form, and that RFC 3339
// is read as the standard library reads it.
func FuzzTime(f *testing.F) {
	for _, s := range []string{
		"2026-08-30T08:04:53Z", "20260830T08:04:53", "2026-08-30T08:04:53.5+0200", "2026-08-30 08:04", "2016-12-31T23:59:60Z", "20260830", "", "soon",
		"9999-12-31T24:00:00-23:59", "2000-01-10T0:00:00Z",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := stanza.ParseTime(s)
		if std, err := time.Parse(time.RFC3339Nano, s); err == nil && got != stanza.Plausible(std) {
			t.Fatalf("%q is %v, want %v", s, got, stanza.Plausible(std))
		}
		if got == 0 {
			return
		}
		if again := stanza.ParseTime(got.String()); again != got {
			t.Fatalf("%q is %v, and read again %v; want the same", s, got, again)
		}
	})
}
