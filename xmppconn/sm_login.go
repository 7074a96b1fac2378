package xmppconn

import (
	"errors"
	"io"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
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

// resume asks for the earlier stream in place of binding (XEP-0198, 5). False: the server has
// forgotten it, and the login continues with bind on this stream.
func (l *login) resume(features *xmlstream.Element) (bool, error) {
	st := l.earlier
	if st == nil || features.Child(nsSM, "sm") == nil {
		return false, nil
	}
	l.doing = "resuming the stream"
	ask, err := appendSMResume(nil, st.ID, uint32(st.In))
	if err != nil {
		return false, nil
	}
	if err := l.write(string(ask)); err != nil {
		return false, err
	}
	l.beginOptional(l.d.up.StepTimeout)
	el, err := l.element()
	if l.endOptional(err) {
		l.closeStream()
		return false, errNotResumed
	}
	if errors.Is(err, io.EOF) || errors.Is(err, diagnosis.ErrClosedByServer) {
		return false, errNotResumed
	}
	if err != nil {
		return false, err
	}
	in, ok := parseSM(el)
	switch {
	case ok && in.kind == smResumed && in.id == st.ID:
		if !l.resumed(st, in.h) {
			return false, errNotResumed
		}
		return true, nil
	case ok && in.kind == smFailed:
		l.d.counters.ResumesFailed.Add(1)
		l.recordRefusal(st, in)
		return false, nil
	}
	return false, perch.Errorf(perch.KindLinkLost, "%s: unexpected element", l.doing)
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
func (l *login) recordRefusal(st *streamState, in smIn) {
	if !in.hasH {
		return
	}
	m, _ := st.restore(in.h)
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
	if l.d.up.Profile == ProfileMessenger || l.unmanaged || features.Child(nsSM, "sm") == nil {
		return nil
	}
	l.doing = "enabling stream management"
	if err := l.write(string(appendSMEnable(nil))); err != nil {
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

// awaitEnabled reads on to the answer to <enable/>.
func (l *login) awaitEnabled() error {
	for {
		l.deadline()
		f, err := l.c.fr.Next()
		if err != nil {
			return diagnosis.Network(err, l.doing)
		}
		done, err := l.enabled(&f)
		f.Release()
		if done || err != nil {
			return err
		}
	}
}

// enabled reports whether a frame is the answer to <enable/>, and holds it if not.
func (l *login) enabled(f *xmlstream.Frame) (bool, error) {
	if f.Kind == xmlstream.KindEnd {
		return false, diagnosis.Network(diagnosis.ErrClosedByServer, l.doing)
	}
	if f.Kind == xmlstream.KindElement && (f.Local == "enabled" || f.Local == "failed" || f.Local == "error") {
		el, err := f.Parse()
		if err != nil {
			return false, diagnosis.Network(err, l.doing)
		}
		if el.Is(nsStream, "error") {
			return false, l.c.handleStreamError(el, l.stage)
		}
		if in, ok := parseSM(el); ok && in.kind == smFailed {
			return true, nil // then without
		} else if ok && in.kind == smEnabled {
			if in.resume {
				l.c.login.Capabilities.StreamResume = true
			}
			l.c.sm = &management{id: in.id, location: in.location, max: in.max}
			if l.refused != nil {
				l.c.sm.known, l.c.sm.surplus = l.refused.delivered, l.refused.surplus
			}
			return true, nil
		}
	}
	return false, l.holdEarly(f)
}

// carbons asks for copies of what other devices of the account send and receive (XEP-0280).
// The login does not wait for the answer: a server without carbons answers with an error, which
// changes nothing.
func (l *login) carbons() error {
	id := stanza.NewID()
	iq, err := stanza.AppendIQ(nil, id, "set", "", stanza.EncodeCarbonsEnable())
	if err != nil {
		return err
	}
	l.c.iqs = map[string]*openIQ{id: {answer: func(stanza.IQ, error) {}}}
	return l.write(string(iq))
}
