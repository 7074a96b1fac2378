package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// handleBlocked lists whom the account blocks.
//
//	@ID				listBlocked
//	@Summary		Block list
//	@Description	Whom the account blocks (XEP-0191), on all of its devices: accounts, single devices, and domains with everybody of them. The list is in the cache of the session and answers in every state; blocked.changed says what changes.
//	@Tags			blocked
//	@Produce		json
//	@Success		200	{object}	perch.BlockList
//	@Header			200	{string}	ETag	"of the list"
//	@Success		304
//	@Failure		401	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		501	{object}	Problem	"the upstream has no block list"
//	@Failure		503	{object}	Problem
//	@Failure		504	{object}	Problem
//	@Router			/v1/blocked [get]
//	@Security		BearerAuth
func (a *API) handleBlocked(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	list, err := sessions.BlockingOf(sessionFrom(r.Context())).List(r.Context())
	if err != nil {
		return err
	}
	return writeTagged(w, r, list)
}

// handleBlockedShow tells whether an address is on the list.
//
//	@ID			getBlocked
//	@Summary	One entry of the block list
//	@Tags		blocked
//	@Produce	json
//	@Param		jid	path		string	true	"JID or domain, percent-encoded"
//	@Success	200	{object}	perch.Blocked
//	@Success	304
//	@Failure	401	{object}	Problem
//	@Failure	404	{object}	Problem	"it is not on the list"
//	@Failure	422	{object}	Problem
//	@Failure	501	{object}	Problem	"the upstream has no block list"
//	@Failure	503	{object}	Problem
//	@Failure	504	{object}	Problem
//	@Router		/v1/blocked/{jid} [get]
//	@Security	BearerAuth
func (a *API) handleBlockedShow(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	jid, err := pathBlocked(r)
	if err != nil {
		return err
	}
	entry, err := sessions.BlockingOf(sessionFrom(r.Context())).Show(r.Context(), jid)
	if err != nil {
		return err
	}
	return writeTagged(w, r, entry)
}

// blockRequest is the body of PUT /v1/blocked/{jid}, which may be left out.
type blockRequest struct {
	Report *reportRequest `json:"report"`
} // @name BlockRequest

// reportRequest tells the operators of the server why somebody is blocked (XEP-0377).
type reportRequest struct {
	Reason    string   `json:"reason" enums:"abuse,spam" need:"yes"`
	Text      string   `json:"text"`       // at most 2,000 bytes
	StanzaIDs []string `json:"stanza_ids"` // stanza_id of messages that it is about; at most 20
} // @name BlockReport

// Limits of a report: it is one stanza.
const (
	maxReportText = 2000
	maxReportIDs  = 20
	maxStanzaID   = 1024
)

// checked returns the report; nil: there is none.
func (req *blockRequest) checked() (*perch.Report, error) {
	if req.Report == nil {
		return nil, nil
	}
	report := &perch.Report{Reason: req.Report.Reason, Text: req.Report.Text, StanzaIDs: req.Report.StanzaIDs}
	switch {
	case !report.Valid():
		return nil, perch.Invalid("/report/reason", "must be abuse or spam")
	case len(report.Text) > maxReportText:
		return nil, perch.Invalid("/report/text", "must have at most %d bytes", maxReportText)
	case len(report.StanzaIDs) > maxReportIDs:
		return nil, perch.Invalid("/report/stanza_ids", "must have at most %d entries", maxReportIDs)
	}
	for i, id := range report.StanzaIDs {
		at := "/report/stanza_ids/" + strconv.Itoa(i)
		if id == "" {
			return nil, perch.Invalid(at, "must not be empty")
		}
		if err := oneLine(at, id, maxStanzaID); err != nil {
			return nil, err
		}
	}
	return report, nil
}

// handleBlock blocks an address.
//
//	@ID				block
//	@Summary		Block
//	@Description	Blocks an account, with a resource one of its devices, or a domain with everybody of it (XEP-0191), on all devices of the account. The server passes nothing on from then on, whom the account blocks looks offline, and sending to them is 403 blocked. Nothing is deleted: the buddy stays in the roster and the messages stay. With report the server is told why (XEP-0377); one that takes no reports ignores it. An occupant of a room is blocked in the room by the room alone.
//	@Tags			blocked
//	@Accept			json
//	@Param			jid		path	string			true	"JID or domain, percent-encoded"
//	@Param			body	body	blockRequest	false	"a report"
//	@Success		204
//	@Failure		400	{object}	Problem
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		429	{object}	Problem	"the list is full"
//	@Failure		501	{object}	Problem	"the upstream has no block list"
//	@Failure		502	{object}	Problem
//	@Failure		503	{object}	Problem
//	@Failure		504	{object}	Problem
//	@Router			/v1/blocked/{jid} [put]
//	@Security		BearerAuth
func (a *API) handleBlock(w http.ResponseWriter, r *http.Request) error {
	var req blockRequest
	if _, err := queryOf(r); err != nil {
		return err
	}
	jid, err := pathBlocked(r)
	if err != nil {
		return err
	}
	if _, err := decodeOptional(r, &req); err != nil {
		return err
	}
	report, err := req.checked()
	if err != nil {
		return err
	}
	return done(w, sessions.BlockingOf(sessionFrom(r.Context())).Block(r.Context(), jid, report))
}

// handleUnblock takes an address off the list.
//
//	@ID				unblock
//	@Summary		Unblock
//	@Description	Takes an entry off the list. That does no harm where it is not there. The presence of a contact comes again.
//	@Tags			blocked
//	@Param			jid	path	string	true	"JID or domain, percent-encoded"
//	@Success		204
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		501	{object}	Problem	"the upstream has no block list"
//	@Failure		502	{object}	Problem
//	@Failure		503	{object}	Problem
//	@Failure		504	{object}	Problem
//	@Router			/v1/blocked/{jid} [delete]
//	@Security		BearerAuth
func (a *API) handleUnblock(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	jid, err := pathBlocked(r)
	if err != nil {
		return err
	}
	return done(w, sessions.BlockingOf(sessionFrom(r.Context())).Unblock(r.Context(), jid))
}

// handleUnblockAll empties the list.
//
//	@ID			unblockAll
//	@Summary	Unblock all
//	@Tags		blocked
//	@Param		all	query	int	true	"1: it is meant"	Enums(1)
//	@Success	204
//	@Failure	401	{object}	Problem
//	@Failure	403	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Failure	501	{object}	Problem	"the upstream has no block list"
//	@Failure	502	{object}	Problem
//	@Failure	503	{object}	Problem
//	@Failure	504	{object}	Problem
//	@Router		/v1/blocked [delete]
//	@Security	BearerAuth
func (a *API) handleUnblockAll(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "all")
	if err != nil {
		return err
	}
	all, err := flagOf(q, "all")
	switch {
	case err != nil:
		return err
	case !all:
		return perch.Invalid("?all", "must be 1: this unblocks everybody; DELETE /v1/blocked/{jid} unblocks one")
	}
	return done(w, sessions.BlockingOf(sessionFrom(r.Context())).UnblockAll(r.Context()))
}

// pathBlocked reads the {jid} of the path: a JID with or without a resource, or a domain.
func pathBlocked(r *http.Request) (perch.JID, error) { return pathAddressBy(r, blockedOf) }

// blockedOf is addressOf for an entry of the block list, which may be a domain.
func blockedOf(s *sessions.Session, pointer, text string) (perch.JID, error) {
	jid, err := addressOf(s, pointer, text)
	if err == nil {
		return jid, nil
	}
	if jid, derr := perch.ParseJID(text); derr == nil && jid.Local() == "" {
		return jid, nil
	}
	return "", err
}

// blockData is the data of blocked.add.
type blockData struct {
	JID string `json:"jid" need:"yes"`
	blockRequest
}

func (s *socket) blockedAdd(ctx context.Context, c command) (commandResult, error) {
	var req blockData
	if err := decodeData(c, &req); err != nil {
		return commandResult{}, err
	}
	jid, err := blockedOf(s.sess, "/jid", req.JID)
	if err == nil {
		err = s.mayConverse(jid)
	}
	if err != nil {
		return commandResult{}, err
	}
	report, err := req.checked()
	if err != nil {
		return commandResult{}, err
	}
	if err := s.online(); err != nil {
		return commandResult{}, err
	}
	return commandResult{status: http.StatusNoContent}, sessions.BlockingOf(s.sess).Block(ctx, jid, report)
}

// unblockData is the data of blocked.remove.
type unblockData struct {
	JID string `json:"jid" need:"yes"`
}

func (s *socket) blockedRemove(ctx context.Context, c command) (commandResult, error) {
	var req unblockData
	if err := decodeData(c, &req); err != nil {
		return commandResult{}, err
	}
	jid, err := blockedOf(s.sess, "/jid", req.JID)
	if err == nil {
		err = s.mayConverse(jid)
	}
	if err != nil {
		return commandResult{}, err
	}
	if err := s.online(); err != nil {
		return commandResult{}, err
	}
	return commandResult{status: http.StatusNoContent}, sessions.BlockingOf(s.sess).Unblock(ctx, jid)
}
