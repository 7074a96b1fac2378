package api_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

// theirRef is the ref of a message that bob has sent.
func theirRef(id string) string { return perch.Ref{ID: id}.String() }

// ownRef is the ref of a message that alice has sent.
func ownRef(id string) string { return perch.Ref{ID: id, Sent: true}.String() }

// everything is a message with all that one can have beside its text, but for encryption.
const everything = `{"to":"bob@example.net","body":"hé Bob","kind":"chat","reply_to":{"ref":"ibTE"},"mentions":[{"jid":"bob@example.net","begin":3,"end":6},{"jid":"carol@example.net"}],` +
	`"attachments":[{"url":"https://files.example.net/a.png","name":"a.png","type":"image/png","size":70,"width":1,"height":2,"description":"a dot"}],` +
	`"markable":true,"unstyled":true,"spoiler":{"hint":"ending"},"payloads":["<x xmlns='urn:example:x'>y</x>"]}`

// TestMessageDetails: what a message has beside its text arrives as it was sent.
func TestMessageDetails(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	f.want(202, "POST", "/v1/messages", everything, nil)
	m := next[*perch.MessageOut](f)
	want := &perch.MessageDetails{
		ReplyTo:     &perch.Reply{Ref: theirRef("m1"), ID: "m1", From: "bob@example.net"},
		Mentions:    []perch.Mention{{JID: "bob@example.net", Begin: 3, End: 6}, {JID: "carol@example.net"}},
		Attachments: []perch.Attachment{{URL: "https://files.example.net/a.png", Name: "a.png", Type: "image/png", Size: 70, Width: 1, Height: 2, Description: "a dot"}},
		Markable:    true, Unstyled: true, Spoiler: &perch.Spoiler{Hint: "ending"}, Payloads: []string{"<x xmlns='urn:example:x'>y</x>"},
	}
	if m.Body != "hé Bob" || !reflect.DeepEqual(m.Details, want) {
		t.Errorf("got the body %q and %+v, want %q and %+v", m.Body, m.Details, "hé Bob", want)
	}
	f.want(202, "POST", "/v1/messages", `{"to":"bob@example.net","body":"plain"}`, nil)
	if m := next[*perch.MessageOut](f); m.Details != nil {
		t.Errorf("of a plain message: got details %+v, want none", m.Details)
	}
	f.want(202, "POST", "/v1/messages", `{"to":"bob@example.net","attachments":[{"url":"https://files.example.net/a"}]}`, nil)
	if m := next[*perch.MessageOut](f); m.Body != "https://files.example.net/a" || len(m.Details.Attachments) != 1 {
		t.Errorf("of a file alone: got the body %q, %+v; want its address", m.Body, m.Details)
	}
}

// TestEncryptedMessage has a payload and a sentence for the others, and no body.
func TestEncryptedMessage(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	for _, c := range []struct{ fields, fallback string }{
		{`"fallback":"Get a newer client."`, "Get a newer client."}, {`"markable":true`, "This message is encrypted."},
	} {
		f.want(202, "POST", "/v1/messages", `{"to":"bob@example.net",`+c.fields+`,"encryption":{"method":"urn:xmpp:omemo:2","name":"OMEMO"},`+
			`"payloads":["<encrypted xmlns='urn:xmpp:omemo:2'><payload>AAAA</payload></encrypted>"]}`, nil)
		m := next[*perch.MessageOut](f)
		if d := m.Details; m.Body != "" || d == nil || d.Fallback != c.fallback || d.Encryption == nil || d.Encryption.Method != "urn:xmpp:omemo:2" || d.Encryption.Name != "OMEMO" || len(d.Payloads) != 1 {
			t.Errorf("got the body %q, %+v; want none, and %q", m.Body, m.Details, c.fallback)
		}
	}
}

// TestReplyToAnOwnMessage names the account as its author.
func TestReplyToAnOwnMessage(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	f.want(202, "POST", "/v1/messages", `{"to":"bob@example.net","body":"and","reply_to":{"ref":"`+ownRef("s1")+`"}}`, nil)
	if m := next[*perch.MessageOut](f); m.Details == nil || m.Details.ReplyTo == nil || m.Details.ReplyTo.ID != "s1" || m.Details.ReplyTo.From != "alice@example.net" {
		t.Errorf("got %+v, want a reply to s1 of alice@example.net", m.Details)
	}
}

// badDetails are fields of a message that are refused, and the one that the refusal names.
func badDetails() []struct{ name, fields, pointer string } {
	list := func(n int, item string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
	}
	return []struct{ name, fields, pointer string }{
		{"a reply to nothing", `"body":"x","reply_to":{}`, "/reply_to/ref"},
		{"a reply to no ref", `"body":"x","reply_to":{"ref":"m1"}`, "/reply_to/ref"},
		{"a reply to null", `"body":"x","reply_to":{"ref":null}`, "/reply_to/ref"},
		{"a reply to a message without an id", `"body":"x","reply_to":{"ref":"` + perch.Ref{StanzaID: "1"}.String() + `"}`, "/reply_to/ref"},
		{"an unknown field of a reply", `"body":"x","reply_to":{"ref":"ibTE","id":"m1"}`, "/reply_to/id"},
		{"a mention of nobody", `"body":"x","mentions":[{"begin":0,"end":1}]`, "/mentions/0/jid"},
		{"a mention of no JID", `"body":"x","mentions":[{"jid":"@"}]`, "/mentions/0/jid"},
		{"a mention before the body", `"body":"x","mentions":[{"jid":"a@b","begin":-1,"end":1}]`, "/mentions/0/begin"},
		{"a mention of no letter", `"body":"xyz","mentions":[{"jid":"a@b","begin":1,"end":1}]`, "/mentions/0/end"},
		{"a mention backwards", `"body":"xyz","mentions":[{"jid":"a@b","begin":2,"end":1}]`, "/mentions/0/end"},
		{"a mention behind the body", `"body":"é","mentions":[{"jid":"a@b"},{"jid":"a@b","begin":0,"end":2}]`, "/mentions/1/end"},
		{"65 mentions", `"body":"x","mentions":` + list(65, `{"jid":"a@b"}`), "/mentions"},
		{"a file nowhere", `"body":"x","attachments":[{"name":"a"}]`, "/attachments/0/url"},
		{"a file in the page", `"body":"x","attachments":[{"url":"data:text/plain,x"}]`, "/attachments/0/url"},
		{"a program for a file", `"body":"x","attachments":[{"url":"javascript:x"}]`, "/attachments/0/url"},
		{"a file without a host", `"body":"x","attachments":[{"url":"https:///x"}]`, "/attachments/0/url"},
		{"an address with a blank", `"body":"x","attachments":[{"url":"https://a.b/x y"}]`, "/attachments/0/url"},
		{"a long address", `"body":"x","attachments":[{"url":"https://a.b/` + strings.Repeat("x", 2048) + `"}]`, "/attachments/0/url"},
		{"no media type", `"body":"x","attachments":[{"url":"https://a.b/x","type":"png"}]`, "/attachments/0/type"},
		{"less than nothing", `"body":"x","attachments":[{"url":"https://a.b/x","size":-1}]`, "/attachments/0/size"},
		{"too wide", `"body":"x","attachments":[{"url":"https://a.b/x","width":1048577}]`, "/attachments/0/width"},
		{"height below zero", `"body":"x","attachments":[{"url":"https://a.b/x","height":-1}]`, "/attachments/0/height"},
		{"a name of two lines", `"body":"x","attachments":[{"url":"https://a.b/x","name":"a\nb"}]`, "/attachments/0/name"},
		{"a long name", `"body":"x","attachments":[{"url":"https://a.b/x","name":"` + strings.Repeat("x", 256) + `"}]`, "/attachments/0/name"},
		{"a long description", `"body":"x","attachments":[{"url":"https://a.b/x","description":"` + strings.Repeat("x", 1025) + `"}]`, "/attachments/0/description"},
		{"17 files", `"body":"x","attachments":` + list(17, `{"url":"https://a.b/x"}`), "/attachments"},
		{"a hint of two lines", `"body":"x","spoiler":{"hint":"a\nb"}`, "/spoiler/hint"},
		{"a long hint", `"body":"x","spoiler":{"hint":"` + strings.Repeat("x", 257) + `"}`, "/spoiler/hint"},
		{"a spoiler of another type", `"body":"x","spoiler":true`, "/spoiler"},
		{"markable of another type", `"body":"x","markable":"yes"`, "/markable"},
		{"encryption with a body", `"body":"x","encryption":{"method":"urn:xmpp:omemo:2"},"payloads":["<x xmlns='y'/>"]`, "/body"},
		{"encryption of nothing", `"encryption":{"method":"urn:xmpp:omemo:2"}`, "/payloads"},
		{"encryption by nothing", `"encryption":{},"payloads":["<x xmlns='y'/>"]`, "/encryption/method"},
		{"encryption by a sentence", `"encryption":{"method":"a b"},"payloads":["<x xmlns='y'/>"]`, "/encryption/method"},
		{"fallback of plain text", `"body":"x","fallback":"y"`, "/fallback"},
		{"a payload that is no XML", `"body":"x","payloads":["<x xmlns='y'/>","<x"]`, "/payloads/1"},
		{"a payload that ends the message", `"body":"x","payloads":["</message>"]`, "/payloads/0"},
		{"a payload of the gateway", `"body":"x","payloads":["<reactions xmlns='urn:xmpp:reactions:0'/>"]`, "/payloads/0"},
		{"nine payloads", `"body":"x","payloads":` + list(9, `"<x xmlns='y'/>"`), "/payloads"},
		{"large payloads", `"body":"x","payloads":["<x xmlns='y'>` + strings.Repeat("z", 16<<10) + `</x>"]`, "/payloads"},
		{"no text", `"markable":true`, "/body"},
		{"no text beside files", `"body":" ","attachments":[{"url":"https://a.b/x"}]`, "/body"},
	}
}

// TestBadDetails are refused at all doors, by the name of the field, and nothing is sent.
func TestBadDetails(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) { o.CommandsPerMinute = 10_000 })
	conn := f.signIn()
	socket := f.dial(token)
	defer socket.close()
	before := len(conn.Sent())
	edit := "/v1/conversations/bob@example.net/messages/" + ownRef("s1")
	for i, c := range badDetails() {
		t.Run(c.name, func(t *testing.T) {
			f := *f
			f.t = t
			code := "validation"
			if c.name == "a mention of no JID" {
				code = "jid-malformed"
			}
			f.refused(422, code, c.pointer, "POST", "/v1/messages", `{"to":"bob@example.net",`+c.fields+`}`)
			f.refused(422, code, c.pointer, "PATCH", edit, `{`+c.fields+`}`)
			for _, command := range []string{
				`"message.send","data":{"to":"bob@example.net",`, `"message.edit","data":{"conversation":"bob@example.net","ref":"` + ownRef("s1") + `",`,
			} {
				e := socket.answerTo(`{"id":"c` + strconv.Itoa(i) + `","type":` + command + c.fields + `}}`)
				if e.Error == nil || e.Error.Code != code || len(e.Error.Errors) == 0 || e.Error.Errors[0].Pointer != "/data"+c.pointer {
					t.Errorf("%.40s: got %+v, want %s at /data%s", command, e.Error, code, c.pointer)
				}
			}
		})
	}
	if got := conn.Sent(); len(got) != before {
		t.Errorf("the upstream was sent %v, want nothing", got[before:])
	}
}
