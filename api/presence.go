package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/jsonappend"
	"github.com/perch-im/perch/sessions"
)

// presenceList is the content of the cache at AsOf.
type presenceList struct {
	Items []perch.Presence `json:"items"`
	AsOf  perch.Time       `json:"as_of"`
} // @name PresenceList

// ownPresenceRequest is the body of PUT /v1/presence/me. It replaces the whole presence:
// what is left out has its default.
type ownPresenceRequest struct {
	Available *bool   `json:"available"` // true when left out
	Show      *string `json:"show" enums:"away,chat,dnd,xa"`
	Status    *string `json:"status"`
	Priority  *int8   `json:"priority"`
} // @name OwnPresenceRequest

// mostJIDs bounds ?jid=&jid=.
const maxJIDs = 200

// handlePresence lists the presence of all buddies, or of the ones asked for. It reads
// the cache and nothing else: no probe, no reconnect.
//
//	@ID				listPresence
//	@Summary		Presence of buddies
//	@Description	From the cache only. Without jid: all buddies in the roster. A JID without a known presence is left out.
//	@Tags			presence
//	@Produce		json
//	@Param			jid	query		[]string	false	"bare JIDs, at most 200"	collectionFormat(multi)
//	@Success		200	{object}	presenceList
//	@Header			200	{string}	ETag	"of the items"
//	@Success		304
//	@Failure		401	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Router			/v1/presence [get]
//	@Security		BearerAuth
func (a *API) handlePresence(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "jid*")
	if err != nil {
		return err
	}
	s := sessionFrom(r.Context())
	if q.Has("jid") {
		items, err := presenceOf(s, q["jid"])
		if err != nil {
			return err
		}
		slices.SortFunc(items, func(x, y perch.Presence) int { return strings.Compare(string(x.JID), string(y.JID)) })
		if !notModified(w, r, tagOf(presenceItems(items).AppendJSON(nil))) {
			writeAppended(w, http.StatusOK, presenceAnswer{presenceItems(items), perch.At(time.Now())})
		}
		return nil
	}
	list, err := s.Presences()
	if err == nil && !notModified(w, r, `"`+list.Version()+`"`) {
		writeAppended(w, http.StatusOK, presenceAnswer{list, perch.At(time.Now())})
	}
	return err
}

// presenceAnswer is a presenceList whose items append themselves.
type presenceAnswer struct {
	items jsonappend.Value
	asOf  perch.Time
}

// AppendJSON appends a as encoding/json writes a presenceList.
func (a presenceAnswer) AppendJSON(b []byte) []byte {
	b = append(a.items.AppendJSON(append(b, `{"items":`...)), `,"as_of":`...)
	return append(a.asOf.AppendJSON(b), '}')
}

// presenceItems are presences that were asked for one by one.
type presenceItems []perch.Presence

// AppendJSON appends p as encoding/json writes it.
func (p presenceItems) AppendJSON(b []byte) []byte { return jsonappend.List(b, p) }

func presenceOf(s *sessions.Session, texts []string) ([]perch.Presence, error) {
	if len(texts) > maxJIDs {
		return nil, perch.Invalid("?jid", "must not be repeated more than %s times", strconv.Itoa(maxJIDs))
	}
	items := make([]perch.Presence, 0, len(texts))
	for _, text := range texts {
		jid, err := accountOf(s, "?jid", text)
		if err != nil {
			return nil, err
		}
		p, err := s.Presence(jid)
		if err != nil && perch.KindOf(err) != perch.KindItemNotFound {
			return nil, err
		}
		if err == nil && !slices.ContainsFunc(items, func(q perch.Presence) bool { return q.JID == p.JID }) {
			items = append(items, p)
		}
	}
	return items, nil
}

// handlePresenceShow gives the presence of one buddy, from the cache.
//
//	@ID			getPresence
//	@Summary	Presence of one buddy
//	@Tags		presence
//	@Produce	json
//	@Param		jid	path		string	true	"bare JID, percent-encoded"
//	@Success	200	{object}	perch.Presence
//	@Success	304
//	@Failure	401	{object}	Problem
//	@Failure	404	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Router		/v1/presence/{jid} [get]
//	@Security	BearerAuth
func (a *API) handlePresenceShow(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	jid, err := pathJID(r)
	if err != nil {
		return err
	}
	p, err := sessionFrom(r.Context()).Presence(jid)
	if err != nil {
		return err
	}
	return writeTaggedAppended(w, r, p)
}

// handleOwnPresence gives the account's own presence on this session.
//
//	@ID			getOwnPresence
//	@Summary	Own presence
//	@Tags		presence
//	@Produce	json
//	@Success	200	{object}	perch.OwnPresence
//	@Success	304
//	@Failure	401	{object}	Problem
//	@Router		/v1/presence/me [get]
//	@Security	BearerAuth
func (a *API) handleOwnPresence(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	own, err := sessionFrom(r.Context()).OwnPresence()
	if err != nil {
		return err
	}
	return writeTagged(w, r, own)
}

// handleOwnPresencePut changes the account's own presence. Nothing else does: opening and closing
// event streams does not change it.
//
//	@ID			setOwnPresence
//	@Summary	Set the own presence
//	@Tags		presence
//	@Accept		json
//	@Produce	json
//	@Param		body	body		ownPresenceRequest	true	"the whole presence"
//	@Success	200		{object}	perch.OwnPresence
//	@Failure	400		{object}	Problem
//	@Failure	401		{object}	Problem
//	@Failure	422		{object}	Problem
//	@Failure	503		{object}	Problem
//	@Router		/v1/presence/me [put]
//	@Security	BearerAuth
func (a *API) handleOwnPresencePut(w http.ResponseWriter, r *http.Request) error {
	var req ownPresenceRequest
	if _, err := queryOf(r); err != nil {
		return err
	}
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	own, err := req.checked()
	if err != nil {
		return err
	}
	s := sessionFrom(r.Context())
	if err := s.SetOwnPresence(r.Context(), own); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, own)
}

// checked returns the presence of the request. The WebSocket's presence.set has the same fields
// and is checked here too.
func (req ownPresenceRequest) checked() (perch.OwnPresence, error) {
	own := perch.OwnPresence{Available: req.Available == nil || *req.Available}
	if req.Show != nil {
		show, ok := perch.ParseShow(*req.Show)
		if own.Show = show; !ok || show == perch.ShowNone {
			return own, perch.Invalid("/show", "must be away, chat, dnd, xa or null")
		}
	}
	if req.Status != nil {
		own.Status = *req.Status
		if len(own.Status) > 1024 {
			return own, perch.Invalid("/status", "must have at most 1024 bytes")
		}
	}
	if req.Priority != nil {
		own.Priority = *req.Priority
	}
	if !own.Available && own.Show != perch.ShowNone {
		return own, perch.Invalid("/show", "must be null or left out when available is false")
	}
	return own, nil
}
