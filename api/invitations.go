package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// invitationList is a page of the pending incoming subscription requests, sorted by JID.
type invitationList struct {
	Items []perch.Invitation `json:"items"`
	Next  *string            `json:"next"`
} // @name InvitationList

// acceptRequest is the optional body of accepting an invitation.
type acceptRequest struct {
	Name        string   `json:"name"`
	Groups      []string `json:"groups"`
	Reciprocate *bool    `json:"reciprocate"` // ask for their presence too; true when left out
} // @name AcceptRequest

// noFields is the optional body of a request without fields.
type noFields struct{}

// handleInvitations lists the pending invitations.
//
//	@ID				listInvitations
//	@Summary		List pending invitations
//	@Description	Incoming subscription requests, kept across reconnects and restarts until they are answered or cancelled.
//	@Tags			invitations
//	@Produce		json
//	@Param			limit	query		int		false	"items a page; 50"	minimum(1)	maximum(200)
//	@Param			cursor	query		string	false	"next of the page before"
//	@Success		200		{object}	invitationList
//	@Header			200		{string}	Link	"rel=next"
//	@Success		304
//	@Failure		401		{object}	Problem
//	@Failure		422		{object}	Problem
//	@Router			/v1/invitations [get]
//	@Security		BearerAuth
func (a *API) handleInvitations(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "limit", "cursor")
	if err != nil {
		return err
	}
	p, err := pageOf(q)
	if err != nil {
		return err
	}
	all, err := sessionFrom(r.Context()).Invitations()
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(x, y perch.Invitation) int { return strings.Compare(string(x.JID.Key()), string(y.JID.Key())) })
	var list invitationList
	list.Items, list.Next = cut(p, all, func(i perch.Invitation) string { return string(i.JID.Key()) })
	if list.Next != nil {
		linkPage(w, r, "next", map[string]string{"cursor": *list.Next})
	}
	return writeTagged(w, r, list)
}

// acceptedInvitation is the invitation, and what the roster has of its sender once it was
// accepted.
type acceptedInvitation struct {
	perch.Invitation
	Subscription perch.Subscription `json:"subscription"`
	Ask          perch.Ask          `json:"ask"`
} // @name AcceptedInvitation

// handleInvitationAccept lets the sender see the account's presence and, unless the body forbids
// it, asks for theirs.
//
//	@ID				acceptInvitation
//	@Summary		Accept an invitation
//	@Description	Answers when the roster has the change, or after two seconds: subscription and ask are those of the roster at that time. A later change of the subscription is a roster.item event.
//	@Tags			invitations
//	@Accept			json
//	@Produce		json
//	@Param			jid		path		string			true	"bare JID, percent-encoded"
//	@Param			body	body		acceptRequest	false	"name and groups of the new buddy"
//	@Success		200		{object}	acceptedInvitation
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		404		{object}	Problem
//	@Failure		422		{object}	Problem
//	@Failure		503		{object}	Problem
//	@Router			/v1/invitations/{jid}/accept [post]
//	@Security		BearerAuth
func (a *API) handleInvitationAccept(w http.ResponseWriter, r *http.Request) error {
	var req acceptRequest
	jid, err := optionalRequest(r, &req)
	if err != nil {
		return err
	}
	if err := checkItem(&req.Name, &req.Groups); err != nil {
		return err
	}
	inv, err := sessionFrom(r.Context()).AcceptInvitation(r.Context(), jid, sessions.AcceptOptions{
		Name: req.Name, Groups: req.Groups, Reciprocate: req.Reciprocate == nil || *req.Reciprocate,
	})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, acceptedInvitation{inv.Invitation, inv.Subscription, inv.Ask})
}

// handleInvitationDecline declines a subscription request.
//
//	@ID			declineInvitation
//	@Summary	Decline an invitation
//	@Tags		invitations
//	@Produce	json
//	@Param		jid	path		string	true	"bare JID, percent-encoded"
//	@Success	200	{object}	perch.Invitation
//	@Failure	401	{object}	Problem
//	@Failure	404	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Failure	503	{object}	Problem
//	@Router		/v1/invitations/{jid}/decline [post]
//	@Security	BearerAuth
func (a *API) handleInvitationDecline(w http.ResponseWriter, r *http.Request) error {
	jid, err := optionalRequest(r, &noFields{})
	if err != nil {
		return err
	}
	inv, err := sessionFrom(r.Context()).DeclineInvitation(r.Context(), jid)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, inv)
}
