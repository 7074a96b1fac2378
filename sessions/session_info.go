package sessions

import (
	"slices"

	"github.com/perch-im/perch"
)

// Current is the answer of GET /v1/session, whatever the state, or the error of a session that
// has ended or moved.
func (s *Session) Current() (info perch.SessionInfo, err error) {
	err = s.call(s.ctx, func() { info = s.info() })
	return info, err
}

// Info is Current for those who only want to know the state: it is closed when the session is
// not here any more.
func (s *Session) Info() perch.SessionInfo {
	info := perch.SessionInfo{State: perch.StateClosed, Reason: perch.ReasonSignedOut, Upstream: s.cred.upstream.Name, Features: []string{}}
	s.query(func() { info = s.info() })
	return info
}

func (s *Session) info() perch.SessionInfo {
	i := perch.SessionInfo{
		JID: s.state.JID.Bare(), Resource: s.state.JID.Resource(),
		State: s.supervisor.state.state, Reason: s.supervisor.state.reason, Since: s.supervisor.state.since, RetryAt: s.supervisor.state.retryAt,
		Upstream: s.cred.acc.Upstream, Delivery: s.conn.caps.Delivery(), Features: featuresOf(&s.conn.caps, &s.state.Record, s.catchup.unavailable, s.blocking.support == supported), Streams: len(s.subs.list),
		Rooms: s.state.Rooms, Services: servicesOf(roomsOf(s)),
	}
	if i.Uploads = uploadsOf(s); i.Uploads != nil {
		i.Features = append(i.Features, FeatureUploads)
		slices.Sort(i.Features)
	}
	i.Cause, i.Detail = s.supervisor.cause()
	if l := s.conn.link; l != nil {
		st := l.conn.Stats()
		i.LastStanzaAt = st.LastStanzaAt
		if st.PingRTT > 0 {
			ms := st.PingRTT.Milliseconds()
			i.PingRTT = &ms
		}
	}
	return i
}

// featuresOf a session are what the upstream can do, as far as it is known, and what the roster and the archive lack.
func featuresOf(caps *perch.Capabilities, rec *Record, archiveMissing, blocking bool) []string {
	f := caps.Features()
	if rec.RosterState != "" {
		f = append(f, rec.RosterState)
	}
	if archiveMissing {
		f = append(f, ArchiveUnavailable)
	}
	if blocking {
		f = append(f, "blocking")
	}
	slices.Sort(f)
	return f
}
