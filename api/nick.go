package api

import (
	"net/http"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// maxNick is the most characters of a nickname of the account.
const maxNick = 256

type nickRequest struct {
	Nick string `json:"nick" need:"yes" maxLength:"256"` // what contacts are to call the account; one line
} // @name NickRequest

// handleOwnNickPut gives the account a nickname.
//
//	@ID				setOwnNick
//	@Summary		Set the own nickname
//	@Description	At most 256 characters, in one line. Contacts hear of it at once (XEP-0172 by XEP-0163), and it becomes the nickname of the own card; the rest of the card stays. Of contacts it is in nick of the buddy.
//	@Tags			vcards
//	@Accept			json
//	@Param			body	body	nickRequest	true	"the nickname"
//	@Success		204
//	@Failure		400	{object}	Problem
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem
//	@Failure		413	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		501	{object}	Problem	"the upstream stores no nicknames"
//	@Failure		502	{object}	Problem
//	@Failure		503	{object}	Problem
//	@Failure		504	{object}	Problem
//	@Router			/v1/vcards/me/nick [put]
//	@Security		BearerAuth
func (a *API) handleOwnNickPut(w http.ResponseWriter, r *http.Request) error {
	var req nickRequest
	if _, err := queryOf(r); err != nil {
		return err
	}
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	nick := strings.TrimSpace(req.Nick)
	if nick == "" {
		return perch.Invalid("/nick", "must not be empty; DELETE takes the nickname back")
	}
	if err := oneLine("/nick", nick, maxNick); err != nil {
		return err
	}
	return done(w, sessions.SetNick(r.Context(), sessionFrom(r.Context()), nick))
}

// handleOwnNickRemove takes the nickname of the account back.
//
//	@ID			removeOwnNick
//	@Summary	Remove the own nickname
//	@Tags		vcards
//	@Success	204
//	@Failure	401	{object}	Problem
//	@Failure	403	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Failure	501	{object}	Problem	"the upstream stores no nicknames"
//	@Failure	502	{object}	Problem
//	@Failure	503	{object}	Problem
//	@Failure	504	{object}	Problem
//	@Router		/v1/vcards/me/nick [delete]
//	@Security	BearerAuth
func (a *API) handleOwnNickRemove(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	return done(w, sessions.SetNick(r.Context(), sessionFrom(r.Context()), ""))
}
