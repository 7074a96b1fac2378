package api

import (
	"net/http"
	"unicode/utf8"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// handleDirectory lists the public rooms of a service (XEP-0045, 6.3).
//
//	@ID				listDirectory
//	@Summary		Find rooms
//	@Description	The public rooms of a service: of the account's server when service is left out. With q, those with this text in the name or address: such a page may have fewer items than limit, and none, as long as next is there. Nothing is cached.
//	@Tags			rooms
//	@Produce		json
//	@Param			service	query		string	false	"JID of a service with rooms"
//	@Param			q		query		string	false	"only rooms with this text in the name or JID"
//	@Param			limit	query		int		false	"items a page; 50"	minimum(1)	maximum(200)
//	@Param			cursor	query		string	false	"next of the page before"
//	@Success		200		{object}	perch.DirectoryPage
//	@Header			200		{string}	Link	"rel=next"
//	@Failure		401		{object}	Problem
//	@Failure		404		{object}	Problem	"there is no such service"
//	@Failure		422		{object}	Problem
//	@Failure		501		{object}	Problem	"the upstream has no rooms"
//	@Failure		502		{object}	Problem
//	@Failure		503		{object}	Problem
//	@Failure		504		{object}	Problem
//	@Router			/v1/directory [get]
//	@Security		BearerAuth
func (a *API) handleDirectory(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "service", "q", "limit", "cursor")
	if err != nil {
		return err
	}
	p, err := pageOf(q)
	if err != nil {
		return err
	}
	s := sessionFrom(r.Context())
	var service perch.JID
	if q.Has("service") {
		if service, err = accountOf(s, "?service", q.Get("service")); err != nil {
			return err
		}
	}
	if utf8.RuneCountInString(q.Get("q")) > maxRoomNameChars {
		return perch.Invalid("?q", "must have at most %d characters", maxRoomNameChars)
	}
	page, err := sessions.RoomsOf(s).RoomDirectory(r.Context(), service, q.Get("q"), p.limit, p.after)
	if err != nil {
		return err
	}
	if page.Next != nil {
		next := makeCursor(*page.Next)
		page.Next = &next
		linkPage(w, r, "next", map[string]string{"cursor": next})
	}
	return writeJSON(w, http.StatusOK, page)
}
