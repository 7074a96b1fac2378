package mcptools

import "slices"

// tools are all tools. A new one is a row here: what its token must have is the rule of its operation.
var tools = slices.Concat(readers, writers)

// Arguments that several tools have.
var (
	conversation = param{name: "jid", in: inPath, kind: anyText, needed: true, about: "address of the conversation, as list_conversations has it"}
	messageRef   = param{name: "ref", in: inPath, kind: anyText, needed: true, about: "ref of the message, as read_conversation has it"}
	pageLimit    = param{name: "limit", in: inQuery, kind: between(1, 200), standard: "20", about: "items a page; 20 without it"}
	pageCursor   = param{name: "cursor", in: inQuery, kind: anyText, about: `"next" of the page before; without it, the first page`}
	searchStart  = param{name: "start", in: inQuery, kind: moment, about: "not before this time (RFC 3339)"}
	searchEnd    = param{name: "end", in: inQuery, kind: moment, about: "not after this time (RFC 3339)"}
	olderThan    = param{name: "before", in: inQuery, kind: anyText, about: `"prev" of another page: the one before it`}
	newerThan    = param{name: "after", in: inQuery, kind: anyText, about: `"next" of another page: the one after it`}
	onceKey      = param{name: "idempotency_key", in: inHeader, as: "Idempotency-Key", kind: schema{"type": "string", "maxLength": 128}, about: "any text of your choice: the same call with the same key is carried out once, so that it can be repeated when its answer is lost"}
)

// messages is the schema of a page of messages.
var messages = answer(schema{
	"items":     listOf("the messages, oldest first"),
	"relations": listOf("edits, retractions and reactions whose message is not on the page"),
	"dropped":   listOf("what cannot be shown"),
	"next":      nullable, "prev": nullable, "complete": yesOrNo,
}, "items", "next", "prev")

// readers are the tools that change nothing.
var readers = []tool{
	{
		name: "whoami", title: "Who am I", method: "GET", path: "/v1/session", hints: hints{readOnly: true},
		about:  "The account, whether it is online, what its server can do (features; search: messages can be searched), and what your token may do (token.scopes, token.conversations).",
		output: answer(schema{"jid": anyText, "state": anyText, "features": listOfText, "token": object}, "jid", "state", "token"),
	},
	{
		name: "list_conversations", title: "List conversations", method: "GET", path: "/v1/conversations", hints: hints{readOnly: true}, foreign: true,
		about: "The chats and rooms of the account: pinned ones first, then the latest, with a preview and how many messages are unread.",
		params: []param{
			{name: "unread", in: inQuery, kind: yesOrNo, about: "only those with unread messages"},
			{name: "type", in: inQuery, kind: oneOf("chat", "room", "private"), about: "only this type"},
			pageLimit, pageCursor,
		},
		output: answer(schema{"items": listOf("the conversations"), "next": nullable, "complete": yesOrNo}, "items", "next"),
	},
	{
		name: "read_conversation", title: "Read a conversation", method: "GET", path: "/v1/conversations/{jid}/messages", hints: hints{readOnly: true}, foreign: true,
		about: "Messages of one conversation, oldest first; without before and after the newest page. With q only those with that text, where the server can search (else the error is feature-unsupported). Reading marks nothing as read: see mark_read.",
		params: []param{
			conversation, olderThan, newerThan,
			{name: "q", in: inQuery, kind: anyText, about: "text to search for"},
			searchStart, searchEnd, pageLimit,
		},
		output: messages,
	},
	{
		name: "search_messages", title: "Search messages", method: "GET", path: "/v1/archive", hints: hints{readOnly: true}, foreign: true,
		about: "Messages of all people (but not of rooms) with a text, or with with those of one conversation; oldest first, the newest page first. Only where the server can search (else the error is feature-unsupported). A token that is for some conversations needs with.",
		params: []param{
			{name: "q", in: inQuery, kind: anyText, needed: true, about: "text to search for"},
			{name: "with", in: inQuery, kind: anyText, about: "only with this address"},
			olderThan, newerThan, searchStart, searchEnd, pageLimit,
		},
		output: messages,
	},
	{
		name: "list_buddies", title: "List buddies", method: "GET", path: "/v1/buddies", fixed: []string{"include", "presence"}, hints: hints{readOnly: true}, foreign: true,
		about: "The contact list, with the presence of each.",
		params: []param{
			{name: "q", in: inQuery, kind: anyText, about: "only with this text in name or address"},
			{name: "group", in: inQuery, kind: anyText, about: "only of this group"},
			pageLimit, pageCursor,
		},
		output: answer(schema{"items": listOf("the buddies"), "next": nullable}, "items", "next"),
	},
	{
		name: "get_presence", title: "Presence of a buddy", method: "GET", path: "/v1/presence/{jid}", hints: hints{readOnly: true}, foreign: true,
		about:  "Whether a buddy is online, away or busy, and what they say of themselves. item-not-found: it is not known.",
		params: []param{{name: "jid", in: inPath, kind: anyText, needed: true, about: "address of the buddy"}},
		output: answer(schema{"jid": anyText, "available": yesOrNo, "show": nullable, "status": anyText}, "jid"),
	},
	{
		name: "wait_for_events", title: "Wait for events", method: "GET", path: "/v1/events", hints: hints{readOnly: true}, foreign: true, waiting: true,
		about: "Waits until something happens and returns it, or no events after wait seconds. Without a cursor it answers at once, with what no client of the account has had yet, and the cursor of now in next; pass next as cursor of the next call, and no event is lost between two calls. When you gave a cursor and reset is not null, events may be missing: read the conversations again.",
		params: []param{
			{name: "cursor", in: inQuery, as: "since", kind: anyText, about: `"next" of the answer before; without it, from now on`},
			{name: "wait", in: inQuery, kind: between(0, mostWait), standard: "30", about: "seconds to wait for the first event; 30 without it"},
			{name: "types", in: inQuery, kind: listOfText, standard: "message.received", about: `types of events, such as message.received (the one without it), message.*, presence, roster.*, room.*, session.*`},
			{name: "conversations", in: inQuery, kind: listOfText, about: "only of these conversations"},
			{name: "limit", in: inQuery, kind: between(1, 200), standard: "50", about: "most events in the answer; 50 without it"},
		},
		output: answer(schema{"events": listOf("id, type, time and data of each"), "next": anyText, "reset": schema{"type": []string{"object", "null"}}}, "events", "next", "reset"),
	},
}
