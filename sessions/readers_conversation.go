package sessions

import "github.com/perch-im/perch"

// ConversationOf is the conversation that an event of an account's log is about, by the JID that the list of
// conversations has; of an invitation, whose it is. "": it is about none, or does not say.
func ConversationOf(e *perch.Event, own perch.JID) perch.JID { return eventConversation(e, own) }
