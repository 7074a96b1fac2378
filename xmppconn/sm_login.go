package xmppconn

import (
	"errors"
	"io"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
	"github.com/perch-im/perch/xmppconn/internal/smwire"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// errNotResumed: the server closed the connection at a <resume/>; Prosody does so when more is
// waiting than it keeps. The next attempt binds.
var errNotResumed = perch.Errorf(perch.KindLinkLost, "the server closed the connection instead of resuming the stream")

// errNotEnabled: a server has not answered <enable/>. The next attempt does not ask.
//
// The stream itself cannot be used any more. A server that has taken the request counts every
// stanza from there on (XEP-0198, 4), whether or not its answer arrives: it would take what it
// sends for unacknowledged, send it once more when the stream ends, and give up a client that
// never acknowledges anything. Whether it counts is not known before <enabled/>, and that may
// come at any time. On a stream that was never asked both sides agree that nothing is counted.
var errNotEnabled = perch.Errorf(perch.KindUpstreamTimeout, "the server did not answer the request for stream management")

// resume asks for the earlier stream in place of binding (XEP-0198, 5), unless that was done with the
// login. When the server has forgotten it, the login continues with bind on this stream.
func (l *login) resume(features *xmlstream.Element) error {
	st := l.earlier
	if st == nil || features.Child(nsSM, "sm") == nil {
		return nil
	}
	l.doing = "resuming the stream"
	ask, err := smwire.AppendResume(nil, st.ID, uint32(st.In))
	if err != nil {
		return nil
	}
	if err := l.write(string(ask)); err != nil {
		return err
	}
	l.beginOptional(l.d.up.StepTimeout)
	el, err := l.element()
	if l.endOptional(err) {
		l.closeStream()
		return errNotResumed
	}
	if errors.Is(err, io.EOF) || errors.Is(err, diagnosis.ErrClosedByServer) {
		return errNotResumed
	}
	if err != nil {
		return err
	}
	in, ok := smwire.Parse(el)
	switch {
	case ok && in.Kind == smwire.Resumed && in.ID == st.ID:
		if !l.resumed(st, in.H) {
			return errNotResumed
		}
		return nil
	case ok && in.Kind == smwire.Failed:
		l.d.counters.ResumesFailed.Add(1)
		l.recordRefusal(st, in)
		return nil
	}
	return perch.Errorf(perch.KindLinkLost, "%s: unexpected element", l.doing)
}

// resumed continues the earlier stream. What the server lacks is written by Start, before
// anything else. False: the server's count makes no sense.
func (l *login) resumed(st *streamState, h uint32) bool {
	m, numbered := st.restore(h)
	if m == nil {
		return false
	}
	l.d.counters.Resumes.Add(1)
	l.c.login.JID, l.c.login.Capabilities, l.c.login.Resumed = st.JID, st.Caps, true
	l.c.rosterVer = st.Versions
	l.c.sm, l.c.sent, l.c.ackWanted = m, numbered, numbered
	return true
}

// recordRefusal stores what a refusal says of the earlier stream: a server that has only just given it
// up may still know how much of it arrived (XEP-0198, 5).
func (l *login) recordRefusal(st *streamState, in smwire.In) {
	if !in.HasH {
		return
	}
	m, _ := st.restore(in.H)
	if m == nil {
		return
	}
	l.refused = &refusedResume{delivered: map[string]uint64{}, surplus: m.surplus}
	for id, num := range m.known {
		if num == 0 {
			l.refused.delivered[id] = 0
		}
	}
}

// enable asks for stream management with resumption (XEP-0198, 3). It is the last step of a
// login: what came before <enabled/> is not counted, and nothing is read after it.
func (l *login) enable(features *xmlstream.Element) error {
	if l.d.up.Profile == ProfileMessenger || l.unmanaged || l.c.sm != nil || features.Child(nsSM, "sm") == nil {
		return nil
	}
	l.doing = "enabling stream management"
	if err := l.write(string(smwire.AppendEnable(nil))); err != nil {
		return err
	}
	l.beginOptional(l.d.up.StepTimeout / 2)
	err := l.awaitEnabled()
	if l.endOptional(err) {
		l.closeStream()
		return errNotEnabled
	}
	return err
}

// closeStream closes a stream that another one takes the place of, so that the server does not keep
// it, and its resource, for a client that might resume it.
func (l *login) closeStream() { _ = l.write("</stream:stream>") }

// awaitEnabled reads on to the answer to <enable/>; without one the login goes on without.
func (l *login) awaitEnabled() error {
	return l.await("enabled", "failed", func(el *xmlstream.Element) bool {
		in, ok := smwire.Parse(el)
		if ok && in.Kind == smwire.Enabled {
			l.manage(in)
		}
		return ok && (in.Kind == smwire.Enabled || in.Kind == smwire.Failed)
	})
}

// await reads on to an element of one of two names that take takes. What else arrives is held for Start.
func (l *login) await(local, other string, take func(*xmlstream.Element) bool) error {
	for {
		l.deadline()
		f, err := l.c.fr.Next()
		if err != nil {
			return diagnosis.Network(err, l.doing)
		}
		taken := false
		if f.Kind == xmlstream.KindEnd {
			err = diagnosis.Network(diagnosis.ErrClosedByServer, l.doing)
		} else if f.Kind == xmlstream.KindElement && (f.Local == local || f.Local == other || f.Local == "error") {
			taken, err = l.takes(&f, take)
		}
		if !taken && err == nil {
			err = l.holdEarly(&f)
		}
		f.Release()
		if taken || err != nil {
			return err
		}
	}
}

func (l *login) takes(f *xmlstream.Frame, take func(*xmlstream.Element) bool) (bool, error) {
	el, err := f.Parse()
	switch {
	case err != nil:
		return false, diagnosis.Network(err, l.doing)
	case el.Is(nsStream, "error"):
		return false, l.c.handleStreamError(el, l.stage)
	}
	return take(el), nil
}

// manage begins stream management as the server has enabled it.
func (l *login) manage(in smwire.In) {
	l.c.login.Capabilities.StreamResume = in.Resume
	l.c.sm = &management{id: in.ID, location: in.Location, max: in.Max}
	if l.refused != nil {
		l.c.sm.known, l.c.sm.surplus = l.refused.delivered, l.refused.surplus
	}
}

// afterwards asks for what the login need not wait for. Nothing is changed by a server that answers with
// an error, or not at all.
func (l *login) afterwards() error {
	// Copies of what other devices of the account send and receive (XEP-0280), unless the bind has
	// enabled them (XEP-0386).
	if !l.bound() || !l.offer.SASL2.Enables(nsCarbons) {
		if err := l.askLater("set", stanza.EncodeCarbonsEnable(), func(stanza.IQ, error) {}); err != nil {
			return err
		}
	}
	if l.c.login.Capabilities.Archive != "313" {
		return nil
	}
	return l.askLater("get", stanza.EncodeArchiveForm(), func(in stanza.IQ, err error) { _, _ = l.c.archives.Learn("", in.Payload, err) })
}

// askLater asks the own account; answer is called by the reader.
func (l *login) askLater(typ string, payload []byte, answer func(stanza.IQ, error)) error {
	id := stanza.NewID()
	iq, err := stanza.AppendIQ(nil, id, typ, "", payload)
	if err != nil {
		return err
	}
	l.expectLater(id, "", answer)
	l.sent(iq)
	return l.write(string(iq))
}
