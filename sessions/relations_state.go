package sessions

import (
	"slices"
	"strings"

	"github.com/perch-im/perch"
)

// relationState is what later messages have changed of one message. Live messages, the archive
// and pages of it are merged by the same code, so that all show the same.
type relationState struct {
	edited    *perch.Edited
	text      *perch.Message // the message as its last correction has it; nil: there is none, or no room for it
	retracted *perch.Retracted
	reactions []perch.Reaction
	reacted   []reactedAt
}

// reactedAt is when a sender's reactions became what they are.
type reactedAt struct {
	by perch.JID
	at perch.Time
}

// lateSlack is how much older, in ms, a control message that comes late must be than the one that
// counts, to come too late: the stamps of some servers have whole seconds.
const lateSlack = 1000

// apply takes what a control message says. Late is one that may be older than those that came before
// it: then the times decide, else the order of arrival. Whether the sender may say it has been
// decided. It reports whether there is something new to show: not what is out of date, nor a correction
// that comes late of a text that is not remembered.
func (s *relationState) apply(in *perch.MessageIn, at perch.Time, late bool) bool {
	if s.retracted != nil {
		return false // there is nothing left to edit or to react to
	}
	switch in.Relation.Kind {
	case perch.RelationEdit:
		return s.applyEdit(in, at, late)
	case perch.RelationRetraction:
		*s = relationState{retracted: &perch.Retracted{At: at, By: cloned(speakerOf(in)), Moderated: in.Relation.Moderated,
			Reason: strings.Clone(in.Relation.Reason), StanzaID: strings.Clone(archiveIDOf(in)), OriginID: strings.Clone(in.ID)}}
		return true
	case perch.RelationReactions:
		return s.applyReactions(in, at, late)
	}
	return false
}

func (s *relationState) applyEdit(in *perch.MessageIn, at perch.Time, late bool) bool {
	next := &perch.Edited{Count: 1, At: at, StanzaID: strings.Clone(archiveIDOf(in)), OriginID: strings.Clone(in.ID)}
	if last := s.edited; last != nil {
		next.Count = last.Count + 1
		if late && at+lateSlack < last.At {
			next.At, next.StanzaID, next.OriginID = last.At, last.StanzaID, last.OriginID
			s.edited = next
			return s.text != nil
		}
	}
	m := in.Message
	m.StanzaID, m.OriginID = "", "" // those of the correction
	s.edited, s.text = next, &m
	return true
}

func (s *relationState) applyReactions(in *perch.MessageIn, at perch.Time, late bool) bool {
	by := speakerOf(in)
	i := slices.IndexFunc(s.reacted, func(r reactedAt) bool { return r.by.Equal(by) })
	switch {
	case i < 0:
		by = cloned(by)
		s.reacted = append(s.reacted, reactedAt{by, at})
	case late && at+lateSlack < s.reacted[i].at:
		return false
	default:
		by = s.reacted[i].by
		s.reacted[i].at = at
	}
	s.reactions = withReactions(s.reactions, by, in.Sent, reactionSet(in.Relation.Emojis))
	return true
}

// olderThan reports whether the state is one of before a control message that was accepted at a time.
func (s *relationState) olderThan(in *perch.MessageIn, at perch.Time) bool {
	if s.retracted != nil {
		return false
	}
	switch in.Relation.Kind {
	case perch.RelationEdit:
		return s.edited != nil && s.edited.OriginID != in.ID && s.edited.At+lateSlack < at
	case perch.RelationRetraction:
		return true
	case perch.RelationReactions:
		by := speakerOf(in)
		return slices.ContainsFunc(s.reacted, func(x reactedAt) bool { return x.by.Equal(by) && x.at+lateSlack < at })
	}
	return false
}

// withReactions is a list of reactions after one sender has changed theirs. The list given stays as it
// is: an event may have it.
func withReactions(list []perch.Reaction, by perch.JID, own bool, emojis []string) []perch.Reaction {
	next := make([]perch.Reaction, 0, len(list)+len(emojis))
	for _, x := range list {
		i, has := slices.IndexFunc(x.By, by.Equal), slices.Contains(emojis, x.Emoji)
		switch {
		case has && i < 0:
			x.By, x.Own = append(slices.Clip(x.By), by), x.Own || own
		case !has && i >= 0:
			x.By, x.Own = slices.Delete(slices.Clone(x.By), i, i+1), x.Own && !own
		}
		if len(x.By) > 0 {
			next = append(next, x)
		}
	}
	for _, e := range emojis {
		if !slices.ContainsFunc(list, func(x perch.Reaction) bool { return x.Emoji == e }) {
			next = append(next, perch.Reaction{Emoji: strings.Clone(e), By: []perch.JID{by}, Own: own})
		}
	}
	return next
}

// reactionSet is what counts of a sender's reactions: each once, within the bounds.
func reactionSet(emojis []string) []string {
	set := make([]string, 0, min(len(emojis), perch.MaxReactions))
	for _, e := range emojis {
		if len(set) < perch.MaxReactions && e != "" && len(e) <= perch.MaxReactionBytes && !slices.Contains(set, e) {
			set = append(set, e)
		}
	}
	return set
}

// into merges the state into a message, whose details are replaced, and never changed.
func (s *relationState) into(m *perch.Message) {
	if s.retracted != nil {
		m.Body, m.Subject = "", ""
		m.MessageDetails = &perch.MessageDetails{Retracted: s.retracted}
		return
	}
	from := m.MessageDetails
	if s.edited == nil && len(s.reactions) == 0 && (from == nil || len(from.Reactions) == 0) {
		return
	}
	if s.text != nil {
		m.Body, m.Subject, from = s.text.Body, s.text.Subject, s.text.MessageDetails
	}
	d := perch.MessageDetails{}
	if from != nil {
		d = *from
	}
	d.Edited, d.Reactions = s.edited, s.reactions
	m.MessageDetails = &d
}
