package xmppconn

import (
	"errors"
	"os"
	"strings"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
	"golang.org/x/net/idna"
)

// What may arrive between bind and Start and is held for the reader.
const (
	maxEarlyFrames = 256
	maxEarlyBytes  = 1 << 20
)

// bind asks for a resource (RFC 6120, 7). The JID is what the server says, whatever the
// account was called before: some services decide it from the token. It may have been done with the login.
func (l *login) bind(features *xmlstream.Element) error {
	if l.bound() {
		return nil
	}
	l.doing = "binding a resource"
	if features.Child(nsBind, "bind") == nil {
		return &perch.Error{Kind: perch.KindUpstreamConfig, Cause: perch.CauseBind, Detail: "the server offers no resource binding"}
	}
	payload := "<bind xmlns='" + nsBind + "'/>"
	if l.acc.Resource != "" {
		payload = "<bind xmlns='" + nsBind + "'><resource>" + escape(l.acc.Resource) + "</resource></bind>"
	}
	answer, err := l.request("set", "", payload)
	if err != nil {
		return err
	}
	if answer.Err != nil {
		return bindRefused(*answer.Err)
	}
	// A copy: the text of an element is a part of its whole stanza.
	l.c.login.JID = perch.JID(strings.Clone(strings.TrimSpace(answer.Payload.ChildText(nsBind, "jid"))))
	return l.startSession(features)
}

func bindRefused(x perch.XMPPError) error {
	e := &perch.Error{Kind: perch.KindUpstreamConfig, Cause: perch.CauseBind, Detail: "the server refused to bind the resource", XMPP: &x}
	switch x.Condition {
	case "conflict":
		e.Kind, e.Cause = perch.KindStreamConflict, perch.CauseConflict
	case "resource-constraint":
		e.Kind, e.Cause = perch.KindTryLater, perch.CauseTryLater
	case "internal-server-error", "remote-server-timeout":
		e.Kind, e.Cause = perch.KindLinkLost, perch.CauseTryLater
	}
	return e
}

// startSession is the session of RFC 3921: asked for only where a server insists.
func (l *login) startSession(features *xmlstream.Element) error {
	session := features.Child(nsSession, "session")
	if session == nil || session.Child(nsSession, "optional") != nil {
		return nil
	}
	l.doing = "starting the session"
	answer, err := l.request("set", "", "<session xmlns='"+nsSession+"'/>")
	if err == nil && answer.Err != nil {
		return bindRefused(*answer.Err)
	}
	return err
}

// discover fills in what the upstream can do. The account's own features name the rest; the
// Messenger profile is known and asked nothing.
func (l *login) discover(features *xmlstream.Element) error {
	l.c.rosterVer = features.Child(nsRosterVer, "ver") != nil
	caps := l.d.up.capabilities()
	caps.StreamResume = l.c.login.Capabilities.StreamResume
	l.c.login.Capabilities = caps
	if l.d.up.Profile == ProfileMessenger {
		return nil
	}
	l.c.login.Capabilities.ClientState = features.Child(nsCSI, "csi") != nil || l.bound() && l.offer.SASL2.Enables(nsCSI)
	l.doing = "asking what the server can do"
	answer, answered, err := l.optional("get", l.c.login.JID.Bare(), string(stanza.EncodeDiscoInfo()))
	if err != nil {
		return err
	}
	if answered && answer.Err == nil {
		stanza.AccountCapabilities(&l.c.login.Capabilities, answer.Payload)
	}
	return l.afterwards()
}

// optional is request for what a login can do without: answered is false when no answer came
// in half the time of a step, or of what is left for the login if that is less. A late answer
// has an id that no request has, and is counted as stray.
func (l *login) optional(typ string, to perch.JID, payload string) (answer stanza.IQ, answered bool, err error) {
	l.beginOptional(l.d.up.StepTimeout / 2)
	answer, err = l.request(typ, to, payload)
	if l.endOptional(err) {
		return stanza.IQ{}, false, nil
	}
	return answer, err == nil, err
}

// beginOptional gives the server this time for a step that the login can do without, and never
// more than half of what is left for the login.
func (l *login) beginOptional(wait time.Duration) {
	if end, ok := l.ctx.Deadline(); ok {
		wait = min(wait, time.Until(end)/2)
	}
	l.until = time.Now().Add(wait)
}

// endOptional reports whether an optional step ended because there was no answer.
func (l *login) endOptional(err error) (skipped bool) {
	skipped = errors.Is(err, os.ErrDeadlineExceeded) && l.ctx.Err() == nil && !time.Now().Before(l.until)
	l.until = time.Time{}
	if skipped {
		l.d.counters.StepsSkipped.Add(1)
		l.d.log.Warn("optional login step unanswered, continuing without it", "doing", l.doing)
	}
	return skipped
}

// request waits for the answer to one IQ. What else arrives meanwhile is held for Start.
func (l *login) request(typ string, to perch.JID, payload string) (stanza.IQ, error) {
	id := stanza.NewID()
	iq, err := stanza.AppendIQ(nil, id, typ, to, []byte(payload))
	if err != nil {
		return stanza.IQ{}, err
	}
	l.sent(iq)
	if err := l.write(string(iq)); err != nil {
		return stanza.IQ{}, err
	}
	for {
		l.deadline()
		f, err := l.c.fr.Next()
		if err != nil {
			return stanza.IQ{}, diagnosis.Network(err, l.doing)
		}
		answer, ok, err := l.answer(&f, id, to)
		f.Release()
		if ok || err != nil {
			return answer, err
		}
	}
}

// answer returns the awaited answer if the frame is it, and holds the frame if not.
func (l *login) answer(f *xmlstream.Frame, id string, to perch.JID) (stanza.IQ, bool, error) {
	if f.Kind == xmlstream.KindEnd {
		return stanza.IQ{}, false, diagnosis.Network(diagnosis.ErrClosedByServer, l.doing)
	}
	if f.Kind == xmlstream.KindSkipped && f.Skipped.Local == "iq" && f.Skipped.ID == id && l.mayAnswer(to, f.Skipped.From) {
		return stanza.IQ{}, false, perch.Wrap(perch.KindXMPP, perch.ErrAnswerTooLarge, "%s: the answer exceeds the limits of this gateway", l.doing)
	}
	if f.Kind == xmlstream.KindElement && f.Local != "message" && f.Local != "presence" {
		el, err := f.Parse()
		if err != nil {
			return stanza.IQ{}, false, diagnosis.Network(err, l.doing)
		}
		if el.Is(nsStream, "error") {
			return stanza.IQ{}, false, l.c.handleStreamError(el, l.stage)
		}
		if in, ok := stanza.ParseIQ(el); ok && in.ID == id && (in.Type == "result" || in.Type == "error") {
			if l.mayAnswer(to, in.From) {
				return in, true, l.counts(id, to, f)
			}
			if !l.counting() {
				l.d.counters.ForgedAnswers.Add(1) // else the reader does
			}
			return stanza.IQ{}, false, l.counts(id, to, f)
		}
	}
	return stanza.IQ{}, false, l.holdEarly(f)
}

// mayAnswer is the rule for answers; before there is a JID, only the server may.
func (l *login) mayAnswer(to, from perch.JID) bool {
	if me := l.c.login.JID; me != "" {
		return stanza.AnswersFor(me, to, from)
	}
	return from == "" || sameDomain(from.Domain(), l.d.up.Domain)
}

func (l *login) holdEarly(f *xmlstream.Frame) error {
	l.earlyBytes += len(f.Raw)
	if len(l.c.early) >= maxEarlyFrames || l.earlyBytes > maxEarlyBytes {
		return perch.Errorf(perch.KindLinkLost, "%s: too many stanzas before the answer", l.doing)
	}
	l.c.early = append(l.c.early, f.Own())
	return nil
}

// sameDomain compares domains as DNS does.
func sameDomain(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	x, errX := idna.Lookup.ToASCII(a)
	y, errY := idna.Lookup.ToASCII(b)
	return errX == nil && errY == nil && x == y
}
