package mcptools

// accepted is the schema of what becomes of a message.
var accepted = answer(schema{"id": anyText, "ref": anyText, "status": anyText}, "id", "status")

// writers are the tools that change something. Those that replace what was there are destructive.
var writers = []tool{
	{
		name: "send_message", title: "Send a message", method: "POST", path: "/v1/messages",
		about: "Sends a text to a person or a room, in the name of the account. Other people read it: say nothing that the user has not asked for. It is stored before the answer (status accepted) and sent when the account is online; ref is for edit_message and react_to_message.",
		params: []param{
			{name: "to", kind: anyText, needed: true, about: "address of the conversation"},
			{name: "body", kind: anyText, needed: true, about: "the text"},
			onceKey,
		},
		output: accepted,
	},
	{
		name: "edit_message", title: "Edit a message", method: "PATCH", path: "/v1/conversations/{jid}/messages/{ref}", hints: hints{destructive: true, idempotent: true},
		about: "Replaces the text of a message of the account.",
		params: []param{
			conversation, messageRef,
			{name: "body", kind: anyText, needed: true, about: "the whole new text"},
			onceKey,
		},
		output: accepted,
	},
	{
		name: "react_to_message", title: "React to a message", method: "PUT", path: "/v1/conversations/{jid}/messages/{ref}/reactions", hints: hints{destructive: true, idempotent: true},
		about: "Sets the reactions of the account to a message, in place of those that it had.",
		params: []param{
			conversation, messageRef,
			{name: "emojis", kind: listOfText, needed: true, about: "all reactions from now on; none removes them"},
			onceKey,
		},
		output: accepted,
	},
	{
		name: "mark_read", title: "Mark as read", method: "PUT", path: "/v1/conversations/{jid}/read", hints: hints{idempotent: true},
		about: "Everything up to a message was read, on all devices of the account. The sender learns it, unless receipts is false.",
		params: []param{
			conversation,
			{name: "ref", kind: anyText, needed: true, about: "ref of the last message that was read"},
			{name: "receipts", kind: yesOrNo, about: "tell the sender; true without it"},
		},
		output: object,
	},
	{
		name: "set_presence", title: "Set the own presence", method: "PUT", path: "/v1/presence/me", hints: hints{destructive: true, idempotent: true},
		about: "What buddies see of the account: the whole presence, what is left out has its default.",
		params: []param{
			{name: "available", kind: yesOrNo, about: "false: offline for others; true without it"},
			{name: "show", kind: oneOf("away", "chat", "dnd", "xa"), about: "left out: simply online"},
			{name: "status", kind: anyText, about: "a text of up to 1024 bytes"},
		},
		output: answer(schema{"available": yesOrNo, "show": nullable, "status": anyText}, "available"),
	},
}
