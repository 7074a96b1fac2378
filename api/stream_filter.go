package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// streamFilter is what a stream shows. It is of one connection and hides: nothing else changes by it.
type streamFilter struct {
	types         []string    // nil: all
	conversations []perch.JID // nil: all; empty and not nil: none
}

// filterable are the types that a filter may name. Frames of the connection itself
// (hello, live, heartbeat, reconnect, reply, error) pass every filter.
var filterable = func() map[string]bool {
	known := map[string]bool{"*": true}
	for _, t := range []perch.EventType{
		perch.EventMessageReceived, perch.EventMessageSent, perch.EventMessageStatus, perch.EventRosterItem, perch.EventRosterRemoved,
		perch.EventInvitationReceived, perch.EventInvitationAccepted, perch.EventInvitationDeclined, perch.EventInvitationCancelled,
		perch.EventMessageEdited, perch.EventMessageRetracted, perch.EventMessageReactions, perch.EventMessageRead,
		perch.EventConversationRead, perch.EventConversationChanged, perch.EventRoomInvited,
		perch.EventRoomState, perch.EventRoomChanged, perch.EventRoomAffiliation, perch.EventRoomForgotten, perch.EventRoomOccupant, perch.EventRoomOccupants,
		perch.EventSessionState, perch.EventSessionGap, perch.EventVCardChanged, perch.EventBlockedChanged, perch.EventDropped, perch.EventWebhookDisabled,
		perch.EventPresence, perch.EventChatState, perch.EventStanza,
		perch.EventRosterSnapshot, perch.EventInvitationsSnapshot, perch.EventRoomsSnapshot, perch.EventPresenceSnapshot,
	} {
		known[string(t)] = true
		if group, _, ok := strings.Cut(string(t), "."); ok {
			known[group+".*"] = true
		}
	}
	return known
}()

// maxTypes is more than the number of event types.
const maxTypes = 64

// namesOf splits the values of a parameter that is a list: it may be given again, and have commas.
func namesOf(values []string) (names []string) {
	for _, v := range values {
		for name := range strings.SplitSeq(v, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// typesOf checks a filter: exact names, "message.*", or "*" for what no value is, too: all types but stanza. An
// unknown name is refused, because it would filter everything out silently.
func typesOf(pointer string, values []string) ([]string, error) {
	types := namesOf(values)
	if len(types) > maxTypes {
		return nil, perch.Invalid(pointer, "has more than %d names", maxTypes)
	}
	for _, name := range types {
		if !filterable[name] {
			return nil, perch.Invalid(pointer, "%s is not an event type: give exact names, or a group such as message.*", quoteShort(name))
		}
	}
	return types, nil
}

// What a filter by conversation says in place of JIDs.
const (
	allConversations = "*"
	noConversations  = "none"
)

// maxConversations is how many conversations a filter may name.
const maxConversations = 200

// conversationsOf checks a filter by conversation: JIDs, or one of the words above; no value is *. It
// bounds the events of messages, conversations, rooms and chat states.
func conversationsOf(sess *sessions.Session, pointer string, values []string) ([]perch.JID, error) {
	names := namesOf(values)
	switch {
	case len(names) == 0, len(names) == 1 && names[0] == allConversations:
		return nil, nil
	case len(names) == 1 && names[0] == noConversations:
		return []perch.JID{}, nil
	case len(names) > maxConversations:
		return nil, perch.Invalid(pointer, "has more than %d JIDs", maxConversations)
	}
	list := make([]perch.JID, 0, len(names))
	for _, name := range names {
		if name == allConversations || name == noConversations {
			return nil, perch.Invalid(pointer, "%s stands alone, without JIDs", name)
		}
		jid, err := addressOf(sess, pointer, name)
		if err != nil {
			return nil, err
		}
		list = append(list, jid)
	}
	return list, nil
}

// subscribeData is the data of subscribe: the types and conversations from now on; null or [] is all.
type subscribeData struct {
	Types         []string `json:"types"`
	Conversations []string `json:"conversations,omitempty"`
}

// subscribe changes the filter, the whole of it. It takes effect before its reply is sent.
func (s *socket) subscribe(_ context.Context, c command) (commandResult, error) {
	var req subscribeData
	if err := decodeData(c, &req); err != nil {
		return commandResult{}, err
	}
	var f streamFilter
	var err error
	if f.types, err = typesOf("/types", req.Types); err != nil {
		return commandResult{}, err
	}
	if f.conversations, err = conversationsOf(s.sess, "/conversations", req.Conversations); err != nil {
		return commandResult{}, err
	}
	return commandResult{status: http.StatusOK, data: f.applied(), silent: true, filter: &f}, nil
}

// applied is what subscribe answers. Conversations are left out when all are shown.
func (f streamFilter) applied() subscribeData {
	d := subscribeData{Types: append([]string{}, f.types...)}
	if f.conversations != nil && len(f.conversations) == 0 {
		d.Conversations = []string{noConversations}
	}
	for _, jid := range f.conversations {
		d.Conversations = append(d.Conversations, string(jid))
	}
	return d
}
