package sessions

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"

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
		Upstream: s.cred.acc.Upstream, Delivery: s.conn.caps.Delivery(), Features: featuresOf(&s.conn.caps, &s.state.Record, s.catchup.unavailable), Streams: len(s.subs.list),
	}
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

// featuresOf a session are what the upstream can do, and what the roster and the archive lack.
func featuresOf(caps *perch.Capabilities, rec *Record, archiveMissing bool) []string {
	f := caps.Features()
	if rec.RosterState != "" {
		f = append(f, rec.RosterState)
	}
	if archiveMissing {
		f = append(f, ArchiveUnavailable)
	}
	slices.Sort(f)
	return f
}

// Buddies returns the roster, sorted by the key of the JID. A buddy without a name in the roster
// has that of its cached vCard. Like every read of a session, it gives an error once the session
// has ended or moved, and never an empty answer.
func (s *Session) Buddies() ([]perch.Buddy, error) {
	items, _, err := s.BuddyPage(BuddyQuery{})
	return items, err
}

// BuddyPage is Buddies for a part of the roster, and reports whether there are more behind it.
func (s *Session) BuddyPage(q BuddyQuery) (items []perch.Buddy, more bool, err error) {
	items = []perch.Buddy{}
	err = s.call(s.ctx, func() {
		s.roster.snapshotServed = true
		items, more = s.roster.page(q, items)
	})
	return items, more, err
}

// Buddy returns one roster item; KindItemNotFound if there is none.
func (s *Session) Buddy(jid perch.JID) (perch.Buddy, error) {
	var b perch.Buddy
	err := s.callErr(s.ctx, func() error {
		k := s.roster.contacts.get(jid)
		if k == nil {
			return errNoBuddy
		}
		b = *k.view()
		return nil
	})
	return b, err
}

// Presence returns what is known of a buddy, from the cache only; KindItemNotFound for a JID
// that is not in the roster.
func (s *Session) Presence(jid perch.JID) (perch.Presence, error) {
	var p perch.Presence
	err := s.callErr(s.ctx, func() error {
		k := s.roster.contacts.get(jid)
		if k == nil {
			return errNoBuddy
		}
		p = *s.roster.presenceOf(k)
		return nil
	})
	return p, err
}

// Presences returns the presence of every buddy, sorted by JID, and a version: two answers with
// the same one are alike, also after a restart.
func (s *Session) Presences() (items []perch.Presence, version string, err error) {
	items = []perch.Presence{}
	if err := s.call(s.ctx, func() {
		items = slices.Grow(items, len(s.roster.contacts))
		for i := range s.roster.contacts {
			items = append(items, *s.roster.presenceOf(&s.roster.contacts[i]))
		}
	}); err != nil {
		return nil, "", err
	}
	slices.SortFunc(items, func(a, b perch.Presence) int { return cmp.Compare(a.JID, b.JID) })
	return items, versionOf(items), nil
}

// versionOf is a hash of everything that the presences say.
func versionOf(items []perch.Presence) string {
	h := sha256.New()
	for i := range items {
		p := &items[i]
		text(h, string(p.JID), strconv.FormatBool(p.Available), p.Show.String(), strconv.Itoa(int(p.Priority)),
			strconv.FormatBool(p.Stale), p.Status, p.UpdatedAt.String())
		for _, r := range p.Resources {
			text(h, r.Resource, r.Show.String(), strconv.Itoa(int(r.Priority)), r.Status, r.UpdatedAt.String())
		}
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}

// OwnPresence is the availability that the account wants to have.
func (s *Session) OwnPresence() (p perch.OwnPresence, err error) {
	err = s.call(s.ctx, func() { p = s.state.Own })
	return p, err
}
