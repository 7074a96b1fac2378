package exchange_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
	"github.com/perch-im/perch/xmppconn/internal/exchange"
	"github.com/perch-im/perch/xmppconn/internal/sasl"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const (
	sasl1 = "urn:ietf:params:xml:ns:xmpp-sasl"
	sasl2 = "urn:xmpp:sasl:2"
)

// script is a stream on which a server says these elements, whatever the client does.
type script struct {
	t      testing.TB
	says   []string
	client []string // what it wrote
}

func (s *script) stream() exchange.Stream {
	return exchange.Stream{
		Write: func(xml string) error { s.client = append(s.client, xml); return nil },
		Next: func() (*xmlstream.Element, error) {
			if len(s.says) == 0 {
				return nil, io.EOF
			}
			next := s.says[0]
			s.says = s.says[1:]
			return streamtest.Parse(s.t, next), nil
		},
	}
}

// asked answers every challenge with the text of it, and takes a success whose text is ok.
type asked struct{ first string }

func (m asked) Start() (string, error) { return m.first, nil }
func (m asked) Next(challenge string) (string, error) {
	if challenge == "bad" {
		return "", errors.New("no")
	}
	return challenge, nil
}

func (m asked) Finish(text string) error {
	if text != "ok" {
		return errors.New("not proved")
	}
	return nil
}

// TestMessages is what a client writes in both profiles: an empty text is "=" in the older one, and an
// empty element in the newer one, which has no element where there is no text.
func TestMessages(t *testing.T) {
	for _, tt := range []struct {
		first, newer, older string
	}{
		{"QQ==", "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='M'><initial-response>QQ==</initial-response></authenticate>", "<auth xmlns='" + sasl1 + "' mechanism='M'>QQ==</auth>"},
		{"=", "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='M'><initial-response/></authenticate>", "<auth xmlns='" + sasl1 + "' mechanism='M'>=</auth>"},
		{"", "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='M'></authenticate>", "<auth xmlns='" + sasl1 + "' mechanism='M'></auth>"},
	} {
		s := &script{t: t, says: []string{"<challenge xmlns='" + sasl2 + "'>=</challenge>", "<success xmlns='" + sasl2 + "'><additional-data>ok</additional-data></success>"}}
		_, err := s.stream().SASL2(exchange.Request{Name: "M", Mechanism: asked{tt.first}})
		if got := strings.Join(s.client, ""); err != nil || got != tt.newer+"<response xmlns='"+sasl2+"'></response>" {
			t.Errorf("%q in the newer profile: got %s, %v; want %s and an empty response", tt.first, got, err, tt.newer)
		}
		s = &script{t: t, says: []string{"<challenge xmlns='" + sasl1 + "'>=</challenge>", "<success xmlns='" + sasl1 + "'>ok</success>"}}
		err = s.stream().RFC6120("M", asked{tt.first})
		if got := strings.Join(s.client, ""); err != nil || got != tt.older+"<response xmlns='"+sasl1+"'>=</response>" {
			t.Errorf("%q in the older profile: got %s, %v; want %s and =", tt.first, got, err, tt.older)
		}
	}
}

// TestRequest is the whole of an <authenticate/>, and what is foreign in it escaped.
func TestRequest(t *testing.T) {
	s := &script{t: t}
	_, err := s.stream().SASL2(exchange.Request{
		Name: "HT-SHA-256-NONE", Mechanism: asked{"QQ=="}, Agent: "a'b", Resume: "<resume xmlns='urn:xmpp:sm:3' h='1' previd='x'/>",
		Bind: &exchange.Bind{Carbons: true, Manage: true}, TokenFor: "HT-SHA-256-EXPR", Fast: &exchange.Fast{Count: 7, Invalidate: true},
	})
	want := "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='HT-SHA-256-NONE'><initial-response>QQ==</initial-response>" +
		"<user-agent id='a&#39;b'><software>Perch</software></user-agent><resume xmlns='urn:xmpp:sm:3' h='1' previd='x'/>" +
		"<bind xmlns='urn:xmpp:bind:0'><tag>Perch</tag><enable xmlns='urn:xmpp:carbons:2'/><enable xmlns='urn:xmpp:sm:3' resume='true'/></bind>" +
		"<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-EXPR'/><fast xmlns='urn:xmpp:fast:0' count='7' invalidate='true'/></authenticate>"
	if got := strings.Join(s.client, ""); got != want || !errors.Is(err, io.EOF) {
		t.Errorf("got %s, %v; want %s, %v", got, err, want, io.EOF)
	}
}

func TestSuccess(t *testing.T) {
	for name, tt := range map[string]struct {
		inner, want string
	}{
		"a name alone":           {"<authorization-identifier> me@a.test </authorization-identifier>", "me@a.test bound false   token false 0"},
		"by its other name":      {"<authorization-identity>me@a.test/r</authorization-identity><bound xmlns='urn:xmpp:bind:0'/>", "me@a.test/r bound true   token false 0"},
		"with a stream":          {"<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='1'/></bound>", " bound true enabled  token false 0"},
		"without a stream":       {"<bound xmlns='urn:xmpp:bind:0'><failed xmlns='urn:xmpp:sm:3'/></bound>", " bound true failed  token false 0"},
		"resumed":                {"<resumed xmlns='urn:xmpp:sm:3' h='1' previd='x'/>", " bound false  resumed token false 0"},
		"not resumed":            {"<failed xmlns='urn:xmpp:sm:3'/>", " bound false  failed token false 0"},
		"a token":                {"<token xmlns='urn:xmpp:fast:0' token='t' expiry='1970-01-01T00:00:01Z'/>", " bound false   token true 1000"},
		"a token without an end": {"<token xmlns='urn:xmpp:fast:0' token='t' expiry='soon'/>", " bound false   token true 0"},
		"a token too long":       {"<token xmlns='urn:xmpp:fast:0' token='" + strings.Repeat("t", 5000) + "'/>", " bound false   token false 0"},
		"in other namespaces":    {"<bound xmlns='x'/><token xmlns='x' token='t'/><resumed xmlns='x'/><authorization-identifier xmlns='x'>me</authorization-identifier>", " bound false   token false 0"},
	} {
		s := &script{t: t, says: []string{"<success xmlns='" + sasl2 + "'><additional-data>ok</additional-data>" + tt.inner + "</success>"}}
		got, err := s.stream().SASL2(exchange.Request{Name: "M", Mechanism: asked{}})
		if err != nil {
			t.Errorf("%s: got error %v, want none", name, err)
			continue
		}
		if text := fmt.Sprint(got.JID, " bound ", got.Bound, " ", got.Enabled.Local(), " ", got.Resumed.Local(), " token ", !got.Token.IsZero(), " ", int64(got.Expires)); text != tt.want {
			t.Errorf("%s: got %q, want %q", name, text, tt.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		says []string
		kind perch.Kind
		last string // what the client says at the end
	}{
		"refused":              {[]string{"<failure xmlns='" + sasl2 + "'><credentials-expired xmlns='" + sasl1 + "'/></failure>"}, perch.KindUnauthorized, ""},
		"for now":              {[]string{"<failure xmlns='" + sasl2 + "'><temporary-auth-failure/></failure>"}, perch.KindTryLater, ""},
		"without a word":       {[]string{"<failure xmlns='" + sasl2 + "'/>"}, perch.KindUnauthorized, ""},
		"another factor":       {[]string{"<continue xmlns='" + sasl2 + "'/>"}, perch.KindUnauthorized, "<abort xmlns='" + sasl2 + "'/>"},
		"a wrong challenge":    {[]string{"<challenge xmlns='" + sasl2 + "'>bad</challenge>"}, perch.KindUpstreamConfig, "<abort xmlns='" + sasl2 + "'/>"},
		"no proof":             {[]string{"<success xmlns='" + sasl2 + "'/>"}, perch.KindUpstreamConfig, ""},
		"of the other profile": {[]string{"<success xmlns='" + sasl1 + "'>ok</success>"}, perch.KindLinkLost, ""},
		"for ever":             {strings.Split(strings.Repeat("<challenge xmlns='"+sasl2+"'>QQ==</challenge>|", 9), "|"), perch.KindLinkLost, "<response xmlns='" + sasl2 + "'>QQ==</response>"},
	} {
		s := &script{t: t, says: tt.says}
		_, err := s.stream().SASL2(exchange.Request{Name: "M", Mechanism: asked{}})
		if perch.KindOf(err) != tt.kind {
			t.Errorf("%s: got %v, want %s", name, err, tt.kind)
		}
		if last := s.client[len(s.client)-1]; tt.last != "" && last != tt.last {
			t.Errorf("%s: the client ends with %s, want %s", name, last, tt.last)
		}
	}
}

// FuzzSASL2 answers a request with anything that parses: nothing panics, a login is only taken with its
// proof, and every refusal has a kind.
func FuzzSASL2(f *testing.F) {
	for _, s := range []string{
		"<success xmlns='urn:xmpp:sasl:2'><additional-data>ok</additional-data><authorization-identifier>me@a.test/r</authorization-identifier><bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='1' resume='true'/></bound><token xmlns='urn:xmpp:fast:0' token='t' expiry='2020-03-12T14:36:15Z'/></success>",
		"<success xmlns='urn:xmpp:sasl:2'><additional-data>b2s=</additional-data><resumed xmlns='urn:xmpp:sm:3' previd='1' h='1'/></success>",
		"<failure xmlns='urn:xmpp:sasl:2'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/><text>no</text></failure>",
		"<continue xmlns='urn:xmpp:sasl:2'><tasks><task>TOTP</task></tasks></continue>", "<challenge xmlns='urn:xmpp:sasl:2'>QQ==</challenge>", "<success xmlns='urn:xmpp:sasl:2'/>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		el, err := xmlstream.Parse(answer, xmlstream.DefaultLimits())
		if err != nil {
			return
		}
		stream := exchange.Stream{Write: func(string) error { return nil }, Next: func() (*xmlstream.Element, error) { return el, nil }}
		s, err := stream.SASL2(exchange.Request{Name: "M", Mechanism: asked{"QQ=="}})
		if (s == nil) == (err == nil) || err != nil && perch.KindOf(err) == perch.KindInternal {
			t.Fatalf("SASL2() = %+v, %v; want a success, or an error with a kind", s, err)
		}
		if s != nil && el.ChildText(sasl2, "additional-data") != "ok" {
			t.Fatalf("took %s, want it refused without its proof", answer)
		}
		if s != nil && (s.Expires < 0 || s.Expires > perch.At(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))) {
			t.Fatalf("got the end %d, want a time or none", s.Expires)
		}
		if e, ok := errors.AsType[*diagnosis.SASLError](err); ok && e.Mechanism != "M" {
			t.Fatalf("got %v, want it of the mechanism M", e)
		}
	})
}

// TestHashedTokenByTheProfile is one login with a token, of which the draft has no vector: the proofs are
// HMAC-SHA-256 under the token.
func TestHashedTokenByTheProfile(t *testing.T) {
	m, err := sasl.NewHashedToken(sasl.HashedTokenUnbound, sasl.Credentials{User: "me", Token: "secret-token"}, nil)
	if err != nil {
		t.Fatalf("NewHashedToken(): got error %v, want none", err)
	}
	s := &script{t: t, says: []string{"<success xmlns='" + sasl2 + "'><additional-data>" + base64.StdEncoding.EncodeToString([]byte{1, 2, 3}) + "</additional-data></success>"}}
	if _, err := s.stream().SASL2(exchange.Request{Name: "HT-SHA-256-NONE", Mechanism: m, Fast: &exchange.Fast{Count: 1}}); perch.KindOf(err) != perch.KindUpstreamConfig {
		t.Errorf("a proof of something else: got %v, want %s", err, perch.KindUpstreamConfig)
	}
}
