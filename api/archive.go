package api

import (
	"net/http"
	"net/url"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// archivePage is a page of the archive, oldest first. Next and Prev are the values of after and
// before for the pages around it; null where the archive has no paging, or no more pages.
type archivePage struct {
	Items    []archiveItem    `json:"items"`
	Dropped  []archiveDropped `json:"dropped"` // entries of the page that cannot be shown; limit counts both
	Next     *string          `json:"next"`
	Prev     *string          `json:"prev"`
	Complete bool             `json:"complete"`
} // @name ArchivePage

// archiveDropped has the fields of the event.dropped of the same stanza, and its id and time in
// the archive.
type archiveDropped struct {
	Reason        string     `json:"reason"`
	From          perch.JID  `json:"from,omitempty"`
	StanzaID      string     `json:"stanza_id"`       // in the archive
	Time          perch.Time `json:"time"`            // when it was archived
	TimeIsArrival bool       `json:"time_is_arrival"` // the archive gave no time that can be read: time is when it arrived here
} // @name ArchiveDropped

// archiveItem is a message as events show it, with ID, its id in the archive, in place of
// the message's own. The fields of perch.Message that are added later belong here, too: a
// test holds the two against each other.
type archiveItem struct {
	ID            string            `json:"id"`                   // in the archive; the stanza_id of events
	MessageID     string            `json:"message_id,omitempty"` // the id of events; left out where the archive does not keep it
	OriginID      string            `json:"origin_id,omitempty"`
	RoomStanzaID  string            `json:"room_stanza_id,omitempty"`
	From          perch.JID         `json:"from"`
	To            perch.JID         `json:"to"`
	Direction     string            `json:"direction"`
	Kind          perch.MessageKind `json:"kind"`
	Body          string            `json:"body"`
	Thread        string            `json:"thread,omitempty"`
	Subject       string            `json:"subject,omitempty"`
	Delay         *perch.Delay      `json:"delay,omitempty"`
	Time          perch.Time        `json:"time"`            // when it was archived
	TimeIsArrival bool              `json:"time_is_arrival"` // the archive gave no time that can be read: time is when the item arrived here
} // @name ArchiveItem

func archiveItemOf(it *perch.ArchiveItem) archiveItem {
	direction := "in"
	if it.Sent {
		direction = "out"
	}
	return archiveItem{
		ID: it.StanzaID, MessageID: it.ID, OriginID: it.OriginID, RoomStanzaID: it.RoomStanzaID,
		From: it.From, To: it.To, Direction: direction, Kind: it.Kind, Body: it.Body, Thread: it.Thread, Subject: it.Subject,
		Delay: it.Delay, Time: it.Time, TimeIsArrival: it.TimeIsArrival,
	}
}

// handleArchive reads the upstream's archive of the messages with one account.
//
//	@ID				listArchive
//	@Summary		Archived messages
//	@Description	Oldest first. Without before and after: the newest page. Behind it is XEP-0313, or XEP-0136 (the last messages only, no paging). What live would be an event.dropped is in dropped.
//	@Tags			archive
//	@Produce		json
//	@Param			with	query		string	true	"JID of the other side: an account, or an occupant of a room"
//	@Param			limit	query		int		false	"items a page; 50"	minimum(1)	maximum(200)
//	@Param			before	query		string	false	"prev of another page"
//	@Param			after	query		string	false	"next of another page"
//	@Param			start	query		string	false	"not before this time (RFC 3339)"
//	@Param			end		query		string	false	"not after this time (RFC 3339)"
//	@Success		200		{object}	archivePage
//	@Header			200		{string}	Link	"rel=next, rel=prev"
//	@Failure		401		{object}	Problem
//	@Failure		422		{object}	Problem
//	@Failure		501		{object}	Problem	"the upstream has no archive"
//	@Failure		502		{object}	Problem
//	@Failure		503		{object}	Problem
//	@Failure		504		{object}	Problem
//	@Router			/v1/archive [get]
//	@Security		BearerAuth
func (a *API) handleArchive(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "with", "limit", "before", "after", "start", "end")
	if err != nil {
		return err
	}
	query, err := archiveQuery(sessionFrom(r.Context()), q)
	if err != nil {
		return err
	}
	found, err := sessionFrom(r.Context()).Archive(r.Context(), query)
	if err != nil {
		return err
	}
	answer := archivePage{Items: []archiveItem{}, Dropped: []archiveDropped{}, Complete: found.Complete}
	for i := range found.Items {
		it := &found.Items[i]
		if it.Dropped == "" {
			answer.Items = append(answer.Items, archiveItemOf(it))
			continue
		}
		answer.Dropped = append(answer.Dropped, archiveDropped{
			Reason: it.Dropped, From: it.From, StanzaID: it.StanzaID, Time: it.Time, TimeIsArrival: it.TimeIsArrival,
		})
	}
	forward := query.After != ""
	if found.Last != "" && !(forward && found.Complete) {
		answer.Next = &found.Last
		linkPage(w, r, "next", map[string]string{"after": found.Last}, "before")
	}
	if found.First != "" && (forward || !found.Complete) {
		answer.Prev = &found.First
		linkPage(w, r, "prev", map[string]string{"before": found.First}, "after")
	}
	return writeJSON(w, http.StatusOK, answer)
}

func archiveQuery(s *sessions.Session, q url.Values) (out perch.ArchiveQuery, err error) {
	if !q.Has("with") {
		return out, perch.Invalid("?with", "is needed: the JID of the other side")
	}
	if out.With, err = addressOf(s, "?with", q.Get("with")); err != nil {
		return out, err
	}
	if out.Limit, err = limitOf(q); err != nil {
		return out, err
	}
	out.Before, out.After = q.Get("before"), q.Get("after")
	for _, name := range []string{"before", "after"} {
		if len(q.Get(name)) > 1024 || q.Has(name) && q.Get(name) == "" {
			return out, perch.Invalid("?"+name, "is not the id of a page")
		}
	}
	if out.Before != "" && out.After != "" {
		return out, perch.Invalid("?before", "cannot be combined with after")
	}
	if out.Start, err = timeOf(q, "start"); err != nil {
		return out, err
	}
	if out.End, err = timeOf(q, "end"); err != nil {
		return out, err
	}
	if !out.Start.IsZero() && !out.End.IsZero() && out.End < out.Start {
		return out, perch.Invalid("?end", "is before start")
	}
	return out, nil
}
