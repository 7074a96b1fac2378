package stanza_test

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// fuzzLimits are beyond what a fuzzer makes.
var fuzzLimits = xmlstream.Limits{Stanza: 1 << 30, Depth: 1 << 20, Attrs: 1 << 20, Hard: 1 << 30}

// firstFrame is the first element of a stream that continues with raw; ok is false when it has
// none that parses.
func firstFrame(raw []byte) (fr xmlstream.Frame, el *xmlstream.Element, ok bool) {
	f := xmlstream.NewFramer(io.MultiReader(strings.NewReader(streamtest.Header), bytes.NewReader(raw)), fuzzLimits)
	for range 2 {
		var err error
		if fr, err = f.Next(); err != nil {
			return fr, nil, false
		}
	}
	if fr.Kind != xmlstream.KindElement {
		return fr, nil, false
	}
	el, err := fr.Parse()
	return fr, el, err == nil
}

// FuzzStanza decodes anything that parses by everything that decodes: nothing may panic,
// and what comes out must be fit to be shown.
func FuzzStanza(f *testing.F) {
	for _, s := range stanzaSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		fr, el, ok := firstFrame(raw)
		if !ok {
			return
		}
		d, err := stanza.Decode(&fr, testSelf, 2e12)
		if err != nil {
			t.Fatalf("Decode() of what parses: got error %v, want none", err)
		}
		fr.Release()
		for _, in := range d.In {
			checkInbound(t, in)
		}
		decodeEverything(el)
	})
}

// FuzzArchived decodes anything that is a message as it comes live and as it comes out of an
// archive: it gives the same.
func FuzzArchived(f *testing.F) {
	for _, s := range oddStanzas {
		f.Add([]byte(s.raw))
	}
	for _, s := range stanzaSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		fr, el, ok := firstFrame(raw)
		if !ok || !el.Is(nsClient, "message") {
			return
		}
		whole := string(fr.Raw)
		if d, err := stanza.Decode(&fr, testSelf, testNow); err != nil || d.Archived != nil {
			return // live it is a result of the archive itself, which no archive keeps
		}
		if len(whole) < 1<<10 && strings.Count(whole, "<") < 20 && strings.Count(whole, "=") < 30 { // within the limits, wrapped too
			compareWithLive(t, whole)
		}
	})
}

// FuzzSkippedResult reads the beginning of anything behind the beginning of an archive result.
func FuzzSkippedResult(f *testing.F) {
	for _, s := range oddStanzas {
		f.Add([]byte(s.raw))
	}
	f.Add([]byte("</forwarded></result>")) // ended before the message does
	f.Fuzz(func(t *testing.T, raw []byte) {
		start := "<message from='me@a.test'><result xmlns='" + nsMAM + "' queryid='q' id='1'><forwarded xmlns='" + nsForward + "'>"
		fr := streamtest.Frame(t, "<message/>")
		fr.Raw = append([]byte(start), raw...)
		r := stanza.SkippedResult(fr.Describe(perch.DroppedTooLarge), testSelf, testNow)
		if r == nil || r.QueryID != "q" || r.From != "me@a.test" || r.Item == nil || r.Item.StanzaID != "1" || r.Item.Dropped != perch.DroppedTooLarge {
			t.Fatalf("%q: got %+v, want the result that it begins with", raw, r)
		}
	})
}

func checkInbound(t *testing.T, in perch.Inbound) {
	t.Helper()
	switch in := in.(type) {
	case *perch.MessageIn:
		empty := in.Body == "" && in.Subject == "" && in.MessageDetails == nil && in.Relation == nil
		if !utf8.ValidString(in.Body) || empty || in.From == "" || in.Kind == "" {
			t.Fatalf("got %+v, want what is fit to be shown", in)
		}
		checkRelation(t, in)
		checkDetails(t, in)
	case *perch.RoomInvitedIn:
		if in.JID == "" || !in.JID.IsBare() || in.Of.From == "" || in.Of.Body != "" {
			t.Fatalf("got %+v, want a room that somebody invites to, and no text", in)
		}
	case *perch.BookmarksIn:
		if in.Store == "" || !in.All && len(in.Put)+len(in.Removed) == 0 {
			t.Fatalf("got %+v, want a change of a store", in)
		}
		for _, b := range in.Put {
			if b.JID == "" || !b.JID.IsBare() || b.Store != in.Store || len(b.Foreign) > perch.MaxForeignBytes {
				t.Fatalf("got %+v, want the bookmark of a room in %s", b, in.Store)
			}
		}
	case *perch.ReadIn:
		if in.Conversation == "" || in.ID == "" && in.StanzaID == "" {
			t.Fatalf("got %+v, want a place in a conversation", in)
		}
	case *perch.PresenceIn:
		if !in.Show.Valid() || in.From == "" || !utf8.ValidString(in.Status) {
			t.Fatalf("got %+v, want what is fit to be shown", in)
		}
	case *perch.SubscriptionIn:
		if !in.From.IsBare() {
			t.Fatalf("got %+v, want what is fit to be shown", in)
		}
	case *perch.ChatStateIn:
		if !in.State.Valid() {
			t.Fatalf("got %+v, want what is fit to be shown", in)
		}
	default:
		checkRoomInbound(t, in)
	}
}

// checkRelation looks at a control message: it is about something, and has no text unless it is an edit.
func checkRelation(t *testing.T, in *perch.MessageIn) {
	t.Helper()
	r := in.Relation
	if r == nil {
		return
	}
	if r.Target == "" || r.Kind != perch.RelationEdit && (in.Body != "" || in.MessageDetails != nil) || len(r.Emojis) > perch.MaxReactions ||
		r.Moderated && (in.Kind != perch.GroupchatMessage || !in.From.IsBare()) {
		t.Fatalf("got %+v, a control message %+v; want a target, no text but of an edit, and moderation by rooms only", in, r)
	}
}

// checkDetails looks at the bounds of what a message has beside its text.
func checkDetails(t *testing.T, in *perch.MessageIn) {
	t.Helper()
	d := in.MessageDetails
	if d == nil {
		return
	}
	size := 0
	for _, p := range d.Payloads {
		size += len(p)
	}
	if len(d.Payloads) > perch.MaxPayloads || size > perch.MaxPayloadBytes || len(d.Mentions) > perch.MaxMentions || len(d.Attachments) > perch.MaxAttachments ||
		d.ReplyTo != nil && (d.ReplyTo.ID == "" || len(d.ReplyTo.Excerpt) > perch.MaxExcerptBytes) || d.Retracted != nil && in.Body != "" || d.Encryption != nil && in.Body != "" {
		t.Fatalf("got the details %+v of %+v, want them within bounds", d, in)
	}
	for _, m := range d.Mentions {
		if n := utf8.RuneCountInString(in.Body); m.JID == "" || m.Begin < 0 || m.Begin > m.End || m.End > n && d.Encryption == nil {
			t.Fatalf("got the mention %+v in a body of %d characters, want it in the body", m, n)
		}
	}
}

func decodeEverything(el *xmlstream.Element) {
	q, ok := stanza.ParseIQ(el)
	for _, space := range []string{nsStreams, nsSASL, nsStanzas} {
		stanza.ParseConditions(el, space)
	}
	payload := el
	if ok {
		payload = q.Payload
		stanza.Answer(q, false)
		_, _ = stanza.ParsePush(q)
	}
	var roster stanza.RosterCollector
	roster.Add(payload.Borrowed())
	roster.Result()
	var blocked stanza.BlockListCollector
	blocked.Add(payload.Borrowed())
	blocked.Result()
	for _, info := range stanza.ParseAvatarMetadata(payload) {
		stanza.ParseAvatarData(payload, info.ID)
	}
	stanza.ParseVCard(payload, "x@a.test")
	for _, now := range []perch.Time{0, 2e12} {
		stanza.ParseArchive136(payload, testSelf, perch.ArchiveQuery{With: "x@a.test"}, 10, now)
	}
	stanza.ParseMAMFin(payload)
	_, _ = stanza.ParseArchiveForm(payload)
	stanza.ParseLookup(payload)
	stanza.AccountCapabilities(&perch.Capabilities{}, payload)
	stanza.ParseReadPositions(payload, testSelf.Bare())
	stanza.NodeSafe(payload, true)
	_, _ = stanza.ParseBookmarks(payload)
	_, _ = stanza.ParseDocument(payload).Bookmarks("0049")
	stanza.ParseReservedNick(payload)
	stanza.IsRoomService(payload)
	stanza.BookmarkStores(payload)
	stanza.ParseUploadService(payload)
	_, _ = stanza.ParseSlot(payload)
}

// FuzzRoundTrip writes texts and reads them back through the framer: exactly one stanza,
// with exactly these texts.
func FuzzRoundTrip(f *testing.F) {
	f.Add("a@b.test/c", "id", "body", "thread", "subject")
	f.Add("a@b.test/'><x/>", "\"'&<>", "]]> \r\n\t\r</body></message><presence/>", "\u00a0", "🐦 ]]")
	f.Add("a", "&#0;", "\x00", "\xff", "\ufffe")
	f.Fuzz(func(t *testing.T, to, id, body, thread, subject string) {
		kind := perch.ChatMessage
		out := &perch.MessageOut{ID: id, To: perch.JID(to), Kind: kind, Body: body, Thread: thread, Subject: subject, Receipt: true}
		roundTrip(t, out, func(el *xmlstream.Element) bool {
			return el.Attr("to") == to && el.Attr("id") == id && el.ChildText(nsClient, "body") == body &&
				el.ChildText(nsClient, "thread") == thread && el.ChildText(nsClient, "subject") == subject
		}, to, id, body, thread, subject)
		sub := &perch.SubscriptionOut{To: perch.JID(to), Type: "subscribe", Nick: id, Message: body}
		roundTrip(t, sub, func(el *xmlstream.Element) bool {
			return el.Attr("to") == string(perch.JID(to).Bare()) && el.ChildText(nsNick, "nick") == id &&
				el.ChildText(nsClient, "status") == body
		}, string(perch.JID(to).Bare()), id, body)
	})
}

func roundTrip(t *testing.T, out perch.Outbound, same func(*xmlstream.Element) bool, texts ...string) {
	t.Helper()
	before := []byte("<before/>")
	b, err := stanza.AppendOutbound(before, out)
	if want := texts[0] != "" && !slices.ContainsFunc(texts, func(s string) bool { return !sendable(s) }); want != (err == nil) {
		t.Fatalf("writing %q: got error %v, want it sent: %v", texts, err, want)
	}
	if err != nil {
		if string(b) != "<before/>" || perch.KindOf(err) != perch.KindValidation {
			t.Fatalf("got %q, %v; want <before/>, %s", b, err, perch.KindValidation)
		}
		return
	}
	trees, err := parseAll(b)
	if err != io.EOF || len(trees) != 2 || !same(trees[1]) {
		t.Fatalf("%q was read back as %+v, %v; want %v, 2 elements, the same texts", b, trees, err, io.EOF)
	}
}

// parseAll parses every element of a stream that continues with raw, and returns how it ends.
func parseAll(raw []byte) (trees []*xmlstream.Element, err error) {
	return streamtest.ParseAll(io.MultiReader(strings.NewReader(streamtest.Header), bytes.NewReader(raw)), fuzzLimits)
}

// sendable reports whether XML can carry a text (XML 1.0, 2.2).
func sendable(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return true
}
