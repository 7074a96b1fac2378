package exchange

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/sasl"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// software is what clients of the account see of this one.
const software = "Perch"

// Request is one <authenticate/> (XEP-0388, 2.3).
type Request struct {
	Name      string // of the mechanism
	Mechanism sasl.Mechanism
	Agent     string // UUID of the client; "": it does not say
	Resume    string // a <resume/> of XEP-0198 as written; "": none
	Bind      *Bind  // nil: no resource is bound
	TokenFor  string // the mechanism that a token is asked for; "": none is
	Fast      *Fast  // the mechanism proves a token; nil: it does not
}

// Bind asks for a resource (XEP-0386, 4).
type Bind struct {
	Carbons bool // XEP-0280
	Manage  bool // XEP-0198, with resumption
}

// Fast is how a token is used (XEP-0484, 3.4 and 3.6).
type Fast struct {
	Count      uint64 // of logins that were tried with the token, this one included
	Invalidate bool   // it is for the last time
}

// Success is what a server says of a login that it takes.
type Success struct {
	JID     perch.JID // bare; full when a resource was bound
	Bound   bool
	Enabled *xmlstream.Element // <enabled/> or <failed/> of the bind (XEP-0198); nil: neither
	Resumed *xmlstream.Element // <resumed/> or <failed/> of the login; nil: neither
	Token   perch.Secret       // zero: none was given
	Expires perch.Time         // of Token; 0: not known
}

// SASL2 signs in by one request. The stream is the same afterwards; its features follow.
func (s Stream) SASL2(r Request) (*Success, error) {
	text, err := start(r.Name, r.Mechanism)
	if err != nil {
		return nil, err
	}
	if err := s.Write(r.element(text)); err != nil {
		return nil, err
	}
	el, err := s.run(nsSASL2, r.Name, r.Mechanism)
	if err != nil {
		return nil, err
	}
	if err := finish(r.Mechanism, el.ChildText(nsSASL2, "additional-data")); err != nil {
		return nil, err
	}
	return successOf(el), nil
}

// element is the request as written, with the first text of the mechanism, if it has one.
func (r Request) element(text string) string {
	b := &strings.Builder{}
	b.WriteString("<authenticate xmlns='" + nsSASL2 + "' mechanism='" + escape(r.Name) + "'>")
	switch text {
	case "":
	case "=":
		b.WriteString("<initial-response/>")
	default:
		b.WriteString("<initial-response>" + escape(text) + "</initial-response>")
	}
	if r.Agent != "" {
		b.WriteString("<user-agent id='" + escape(r.Agent) + "'><software>" + software + "</software></user-agent>")
	}
	b.WriteString(r.Resume)
	if r.Bind != nil {
		b.WriteString(r.Bind.element())
	}
	if r.TokenFor != "" {
		b.WriteString("<request-token xmlns='" + nsFast + "' mechanism='" + escape(r.TokenFor) + "'/>")
	}
	if r.Fast != nil {
		b.WriteString(r.Fast.element())
	}
	b.WriteString("</authenticate>")
	return b.String()
}

func (x Bind) element() string {
	s := "<bind xmlns='" + nsBind2 + "'><tag>" + software + "</tag>"
	if x.Carbons {
		s += string(stanza.EncodeCarbonsEnable())
	}
	if x.Manage {
		s += "<enable xmlns='" + nsSM + "' resume='true'/>"
	}
	return s + "</bind>"
}

func (f Fast) element() string {
	s := "<fast xmlns='" + nsFast + "' count='" + strconv.FormatUint(f.Count, 10) + "'"
	if f.Invalidate {
		s += " invalidate='true'"
	}
	return s + "/>"
}

// maxToken is more than any server gives; what is longer is no token.
const maxToken = 4 << 10

// successOf reads a <success/> of the newer profile. Early servers, and examples of the text, name its
// identifier otherwise.
func successOf(el *xmlstream.Element) *Success {
	id := el.Child(nsSASL2, "authorization-identifier")
	if id == nil {
		id = el.Child(nsSASL2, "authorization-identity")
	}
	s := &Success{JID: perch.JID(strings.Clone(id.InnerText())), Resumed: managed(el, "resumed")}
	if bound := el.Child(nsBind2, "bound"); bound != nil {
		s.Bound, s.Enabled = true, managed(bound, "enabled")
	}
	if t := el.Child(nsFast, "token"); t != nil && len(t.Attr("token")) <= maxToken {
		s.Token, s.Expires = perch.NewSecret(strings.Clone(t.Attr("token"))), expiry(t.Attr("expiry"))
	}
	return s
}

// expiry reads when a token ends (XEP-0082); 0: it does not say.
func expiry(stamp string) perch.Time {
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(stamp))
	if err != nil || at.Unix() <= 0 {
		return 0
	}
	return perch.At(at)
}

// managed is the answer of stream management inside of another element: what was asked for, or a refusal.
func managed(el *xmlstream.Element, local string) *xmlstream.Element {
	if c := el.Child(nsSM, local); c != nil {
		return c
	}
	return el.Child(nsSM, "failed")
}

// anotherStep is the error of a <continue/> (XEP-0388, 2.6.3): there is no other factor that a gateway
// could have.
func anotherStep(el *xmlstream.Element) error {
	var tasks []string
	for _, t := range el.Child(nsSASL2, "tasks").Children() {
		if name := t.InnerText(); t.Is(nsSASL2, "task") && len(tasks) < 8 && plain(name) {
			tasks = append(tasks, name)
		}
	}
	detail := "the server takes the credential, and asks for another step, which this gateway does not have"
	if len(tasks) > 0 {
		detail += " (" + strings.Join(tasks, ", ") + ")"
	}
	return &perch.Error{Kind: perch.KindUnauthorized, Cause: perch.CauseCredential, Detail: detail}
}

// plain reports whether a foreign name may stand in an error text.
func plain(name string) bool {
	return name != "" && len(name) <= 40 && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// escape makes text fit for an element or an attribute in single quotes.
func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer takes everything
	return b.String()
}
