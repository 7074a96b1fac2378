package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// conversationList is a page of the list of chats: the pinned ones, then the others, the newest first.
type conversationList struct {
	Items    []perch.Conversation `json:"items"`
	Next     *string              `json:"next"`
	Complete bool                 `json:"complete"` // false: the archive may have more, older ones; further pages read on in it
} // @name ConversationList

// handleConversations lists the conversations.
//
//	@ID				listConversations
//	@Summary		List conversations
//	@Description	The pinned ones first, then the others; each with the latest activity first. The first time the list is filled from the archive, as far as its bounds allow, and from the bookmarks of a session that uses rooms: complete is false then, and the next pages read on.
//	@Tags			conversations
//	@Produce		json
//	@Param			limit	query		int		false	"items a page; 50"	minimum(1)	maximum(200)
//	@Param			cursor	query		string	false	"next of the page before"
//	@Param			unread	query		string	false	"1: only those with unread messages"
//	@Param			type	query		string	false	"only this type"	Enums(chat, room, private)
//	@Success		200		{object}	conversationList
//	@Header			200		{string}	Link	"rel=next"
//	@Success		304
//	@Failure		401	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		503	{object}	Problem
//	@Router			/v1/conversations [get]
//	@Security		BearerAuth
func (a *API) handleConversations(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "limit", "cursor", "unread", "type")
	if err != nil {
		return err
	}
	query, err := conversationQuery(q)
	if err != nil {
		return err
	}
	query.Only = accessFrom(r.Context()).Grant.Conversations
	found, err := sessions.ConversationsOf(sessionFrom(r.Context())).List(r.Context(), query)
	if err != nil {
		return err
	}
	answer := conversationList{Items: found.Items, Complete: found.Complete}
	if answer.Items == nil {
		answer.Items = []perch.Conversation{}
	}
	if found.Next != "" {
		answer.Next = &found.Next
		linkPage(w, r, "next", map[string]string{"cursor": found.Next})
	}
	return writeTagged(w, r, answer)
}

func conversationQuery(q url.Values) (out sessions.ConversationQuery, err error) {
	if out.Limit, err = limitOf(q); err != nil {
		return out, err
	}
	if out.Cursor = q.Get("cursor"); out.Cursor == "" && q.Has("cursor") {
		return out, perch.Invalid("?cursor", "is not a cursor of this list; begin without one")
	}
	if out.Unread, err = flagOf(q, "unread"); err != nil {
		return out, err
	}
	kinds := []perch.ConversationKind{perch.ChatConversation, perch.RoomConversation, perch.PrivateConversation}
	if out.Kind = perch.ConversationKind(q.Get("type")); q.Has("type") && !slices.Contains(kinds, out.Kind) {
		return out, perch.Invalid("?type", "must be chat, room or private")
	}
	return out, nil
}

// handleConversationShow shows one conversation.
//
//	@ID			getConversation
//	@Summary	One conversation
//	@Tags		conversations
//	@Produce	json
//	@Param		jid	path		string	true	"JID of the other side, percent-encoded"
//	@Success	200	{object}	perch.Conversation
//	@Success	304
//	@Failure	401	{object}	Problem
//	@Failure	404	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Failure	503	{object}	Problem
//	@Router		/v1/conversations/{jid} [get]
//	@Security	BearerAuth
func (a *API) handleConversationShow(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	jid, err := pathAddress(r)
	if err != nil {
		return err
	}
	c, err := sessions.ConversationsOf(sessionFrom(r.Context())).Get(r.Context(), jid)
	if err != nil {
		return err
	}
	return writeTagged(w, r, c)
}

// conversationPatch changes the fields that are there (RFC 7396). Only a draft can be removed, by null.
type conversationPatch struct {
	Notify   *string         `json:"notify" enums:"all,mentions,none"`
	Pinned   *bool           `json:"pinned"`
	Archived *bool           `json:"archived"`
	Draft    json.RawMessage `json:"draft" swaggertype:"string"`
} // @name ConversationPatch

// checked returns the change, which is one at least. What a value may be is for the session to say.
func (req conversationPatch) checked() (c sessions.ConversationChange, err error) {
	if req.Notify == nil && req.Pinned == nil && req.Archived == nil && req.Draft == nil {
		return c, perch.Invalid("/notify", "this, or pinned, archived or draft is needed")
	}
	c.Notify, c.Pinned, c.Archived = (*perch.Notify)(req.Notify), req.Pinned, req.Archived
	if req.Draft == nil {
		return c, nil
	}
	var draft *string
	if json.Unmarshal(req.Draft, &draft) != nil {
		return c, perch.Invalid("/draft", "must be a string, or null")
	}
	c.Draft = &draft
	return c, nil
}

// handleConversationPatch changes what the account has set for a conversation.
//
//	@ID			updateConversation
//	@Summary	Notify, pin, archive, keep a draft
//	@Tags		conversations
//	@Accept		json
//	@Produce	json
//	@Param		jid		path		string				true	"JID of the other side, percent-encoded"
//	@Param		body	body		conversationPatch	true	"what to change"
//	@Success	200		{object}	perch.Conversation
//	@Failure	400		{object}	Problem
//	@Failure	401		{object}	Problem
//	@Failure	404		{object}	Problem
//	@Failure	422		{object}	Problem
//	@Failure	503		{object}	Problem
//	@Router		/v1/conversations/{jid} [patch]
//	@Security	BearerAuth
func (a *API) handleConversationPatch(w http.ResponseWriter, r *http.Request) error {
	var req conversationPatch
	jid, err := addressRequest(r, &req)
	if err != nil {
		return err
	}
	change, err := req.checked()
	if err != nil {
		return err
	}
	c, err := sessions.ConversationsOf(sessionFrom(r.Context())).Change(r.Context(), jid, change)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, c)
}
