package perch

// eventScopes says which scopes let a token see the events of a type, of which one is enough. What is not
// here is seen by grants of all scopes alone.
var eventScopes = func() map[EventType][]Scope {
	all := map[EventType][]Scope{}
	for _, group := range []struct {
		scopes []Scope
		types  []EventType
	}{
		{[]Scope{ScopeRead}, []EventType{
			EventMessageReceived, EventMessageSent, EventMessageStatus, EventMessageEdited, EventMessageRetracted, EventMessageReactions,
			EventMessageRead, EventConversationRead, EventConversationChanged, EventChatState, EventDropped,
		}},
		{[]Scope{ScopeRead, ScopeRoster}, []EventType{
			EventRosterItem, EventRosterRemoved, EventRosterSnapshot, EventInvitationReceived, EventInvitationAccepted, EventInvitationDeclined,
			EventInvitationCancelled, EventInvitationsSnapshot, EventVCardChanged, EventBlockedChanged,
		}},
		{[]Scope{ScopeRead, ScopePresence}, []EventType{EventPresence, EventPresenceSnapshot}},
		{[]Scope{ScopeRead, ScopeRooms}, []EventType{
			EventRoomState, EventRoomChanged, EventRoomAffiliation, EventRoomForgotten, EventRoomInvited, EventRoomOccupant, EventRoomOccupants,
			EventRoomsSnapshot,
		}},
		{[]Scope{ScopeRead, ScopePresence, ScopeRoster, ScopeRooms}, []EventType{EventSessionState, EventSessionGap}},
		{[]Scope{ScopeWebhooks}, []EventType{EventWebhookDisabled}},
	} {
		for _, t := range group.types {
			all[t] = group.scopes
		}
	}
	return all
}()

// stanzaScopes are those for EventStanza, of which all are needed: it is what POST /v1/stanzas is for the
// other direction.
var stanzaScopes = []Scope{ScopeRead, ScopeSend, ScopePresence, ScopeRoster, ScopeRooms, ScopeSession}

// Shows reports whether the grant lets events of a type be seen, of the conversations that it is for.
func (g Grant) Shows(t EventType) bool {
	if t == EventStanza {
		return g.AllowsAll(stanzaScopes...)
	}
	return g.Scopes == nil || g.Allows(eventScopes[t]...)
}
