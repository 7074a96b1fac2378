package api

import (
	"net/http"

	"github.com/perch-im/perch"
)

// messagePage is a page of the messages of a conversation, oldest first, as an archivePage is.
type messagePage struct {
	Items     []conversationMessage `json:"items"`
	Relations []messageRelation     `json:"relations"` // edits, retractions and reactions whose message is not on the page
	Dropped   []archiveDropped      `json:"dropped"`   // entries of the page that cannot be shown; limit counts all three
	Next      *string               `json:"next"`
	Prev      *string               `json:"prev"`
	Complete  bool                  `json:"complete"`
} // @name MessagePage

// handleConversationMessages reads the archive of one conversation.
//
//	@ID				listConversationMessages
//	@Summary		Messages of a conversation
//	@Description	From the archive, oldest first. Without around, before and after: the newest page. With around, half of the page is before that message and half after it. Edits, retractions and reactions are merged into the messages that they are about, and are in relations where those are not on the page. With q it is only what has that text, as the archive understands it, in pages and within start and end as well; the feature search says that the archive of the account can.
//	@Tags			conversations
//	@Produce		json
//	@Param			jid		path		string	true	"JID of the other side, percent-encoded"
//	@Param			around	query		string	false	"ref of a message"
//	@Param			before	query		string	false	"prev of another page"
//	@Param			after	query		string	false	"next of another page"
//	@Param			start	query		string	false	"not before this time (RFC 3339)"
//	@Param			end		query		string	false	"not after this time (RFC 3339)"
//	@Param			q		query		string	false	"text to search for"	maxlength(256)
//	@Param			limit	query		int		false	"items a page; 50"	minimum(1)	maximum(200)
//	@Success		200		{object}	messagePage
//	@Header			200		{string}	Link	"rel=next, rel=prev"
//	@Failure		401		{object}	Problem
//	@Failure		404		{object}	Problem	"there is no message with that ref"
//	@Failure		422		{object}	Problem
//	@Failure		501		{object}	Problem	"the upstream, or the room, has no archive, or none that can be searched, or read around a message"
//	@Failure		502		{object}	Problem
//	@Failure		503		{object}	Problem
//	@Failure		504		{object}	Problem
//	@Router			/v1/conversations/{jid}/messages [get]
//	@Security		BearerAuth
func (a *API) handleConversationMessages(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "around", "before", "after", "start", "end", "q", "limit")
	if err != nil {
		return err
	}
	with, err := pathAddress(r)
	if err != nil {
		return err
	}
	query, err := archiveQuery(with, q)
	if err != nil {
		return err
	}
	s := sessionFrom(r.Context())
	if q.Has("around") {
		for _, other := range []string{"before", "after", "start", "end", "q"} {
			if q.Has(other) {
				return perch.Invalid("?around", "cannot be combined with %s", other)
			}
		}
		ref, err := refOfRequest("?around", q.Get("around"))
		if err != nil {
			return err
		}
		found, err := aroundMessage(r.Context(), s, messageTarget{with, ref}, query.Limit)
		if err != nil {
			return err
		}
		return writeMessages(w, r, found, s.Info().JID)
	}
	found, err := s.Archive(r.Context(), query)
	if err != nil {
		return err
	}
	page := foundMessages{ArchivePage: found}
	page.next, page.prev = besides(found, query.After != "")
	return writeMessages(w, r, page, s.Info().JID)
}

// foundMessages is what was read of the archive, and the cursors of the pages beside it.
type foundMessages struct {
	perch.ArchivePage
	next, prev *string
}

// writeMessages answers with a page; own is the account.
func writeMessages(w http.ResponseWriter, r *http.Request, found foundMessages, own perch.JID) error {
	page := pageOfArchive(found.ArchivePage, own)
	answer := messagePage{
		Items: []conversationMessage{}, Relations: page.relations, Dropped: page.dropped,
		Next: found.next, Prev: found.prev, Complete: found.Complete,
	}
	for i := range page.items {
		it := &page.items[i]
		answer.Items = append(answer.Items, conversationMessage{Message: it.Message, Time: it.Time, TimeIsArrival: it.TimeIsArrival})
	}
	linkBesides(w, r, answer.Next, answer.Prev)
	return writeJSON(w, http.StatusOK, answer)
}
