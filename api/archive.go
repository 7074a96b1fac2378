package api

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/perch-im/perch"
)

// archivePage is a page of the archive, oldest first. Next and Prev are the values of after and
// before for the pages around it; null where the archive has no paging, or no more pages.
type archivePage struct {
	Items     []archiveItem     `json:"items"`
	Dropped   []archiveDropped  `json:"dropped"`   // entries of the page that cannot be shown; limit counts all three
	Relations []messageRelation `json:"relations"` // edits, retractions and reactions whose message is not on the page
	Next      *string           `json:"next"`
	Prev      *string           `json:"prev"`
	Complete  bool              `json:"complete"`
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
	Ref           string            `json:"ref,omitempty"`        // its handle in its conversation
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
	// Room says who has written what is from a room.
	Room *perch.MessageRoom `json:"room,omitempty"`
	*perch.MessageDetails
} // @name ArchiveItem

func archiveItemOf(it *perch.ArchiveItem) archiveItem {
	direction := "in"
	if it.Sent {
		direction = "out"
	}
	return archiveItem{
		ID: archiveID(it), MessageID: it.ID, Ref: it.Ref, OriginID: it.OriginID, RoomStanzaID: it.RoomStanzaID,
		From: it.From, To: it.To, Direction: direction, Kind: it.Kind, Body: it.Body, Thread: it.Thread, Subject: it.Subject,
		Delay: it.Delay, Time: it.Time, TimeIsArrival: it.TimeIsArrival, Room: it.Room, MessageDetails: it.MessageDetails,
	}
}

// archiveID is the id of an item in the archive that it is from: that of the account, or of a room.
func archiveID(it *perch.ArchiveItem) string { return cmp.Or(it.StanzaID, it.RoomStanzaID) }

func archiveDroppedOf(it *perch.ArchiveItem) archiveDropped {
	return archiveDropped{Reason: it.Dropped, From: it.From, StanzaID: archiveID(it), Time: it.Time, TimeIsArrival: it.TimeIsArrival}
}

// handleArchive reads the upstream's archive of the messages with one account, or that of a room.
//
//	@ID				listArchive
//	@Summary		Archived messages
//	@Description	Oldest first. Without before and after: the newest page. Behind it is XEP-0313, or XEP-0136 (the last messages only, no paging). Of a room it is the archive of the room, also when it is not joined, as far as the room allows that. What live would be an event.dropped is in dropped. Edits, retractions and reactions are merged into the messages that they are about, and are in relations where those are not on the page. With q it is only what has that text, as the archive understands it, in pages and within start and end as well; without with, of all accounts, but not of rooms. The feature search says that the archive of the account can.
//	@Tags			archive
//	@Produce		json
//	@Param			with	query		string	false	"JID of the other side: an account, a room, or an occupant of one; needed without q"
//	@Param			q		query		string	false	"text to search for"	maxlength(256)
//	@Param			limit	query		int		false	"items a page; 50"	minimum(1)	maximum(200)
//	@Param			before	query		string	false	"prev of another page"
//	@Param			after	query		string	false	"next of another page"
//	@Param			start	query		string	false	"not before this time (RFC 3339)"
//	@Param			end		query		string	false	"not after this time (RFC 3339)"
//	@Success		200		{object}	archivePage
//	@Header			200		{string}	Link	"rel=next, rel=prev"
//	@Failure		401		{object}	Problem
//	@Failure		403		{object}	Problem	"the room does not show it to the account"
//	@Failure		404		{object}	Problem	"there is no such room"
//	@Failure		422		{object}	Problem
//	@Failure		501		{object}	Problem	"the upstream, or the room, has no archive, or none that can be searched"
//	@Failure		502		{object}	Problem
//	@Failure		503		{object}	Problem
//	@Failure		504		{object}	Problem
//	@Router			/v1/archive [get]
//	@Security		BearerAuth
func (a *API) handleArchive(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "with", "q", "limit", "before", "after", "start", "end")
	if err != nil {
		return err
	}
	s := sessionFrom(r.Context())
	var with perch.JID
	if q.Has("with") {
		if with, err = addressOf(s, "?with", q.Get("with")); err != nil {
			return err
		}
	} else if !q.Has("q") {
		return perch.Invalid("?with", "is needed: the JID of the other side")
	}
	if err := mayConverse(accessFrom(r.Context()), with); err != nil {
		return err
	}
	query, err := archiveQuery(with, q)
	if err != nil {
		return err
	}
	found, err := s.Archive(r.Context(), query)
	if err != nil {
		return err
	}
	page := pageOfArchive(found, s.Info().JID)
	answer := archivePage{Items: []archiveItem{}, Dropped: page.dropped, Relations: page.relations, Complete: found.Complete}
	for i := range page.items {
		answer.Items = append(answer.Items, archiveItemOf(&page.items[i]))
	}
	answer.Next, answer.Prev = besides(found, query.After != "")
	linkBesides(w, r, answer.Next, answer.Prev)
	return writeJSON(w, http.StatusOK, answer)
}

// besides are the cursors of the pages after and before a page; forward says that the page was asked
// for by after. Nil: there is none, or the archive has no paging.
func besides(found perch.ArchivePage, forward bool) (next, prev *string) {
	if found.Last != "" && !(forward && found.Complete) {
		next = &found.Last
	}
	if found.First != "" && (forward || !found.Complete) {
		prev = &found.First
	}
	return next, prev
}

// linkBesides announces the pages after and before this one.
func linkBesides(w http.ResponseWriter, r *http.Request, next, prev *string) {
	if next != nil {
		linkPage(w, r, "next", map[string]string{"after": *next}, "before", "around")
	}
	if prev != nil {
		linkPage(w, r, "prev", map[string]string{"before": *prev}, "after", "around")
	}
}

// archiveQuery reads which page of the messages with one account is asked for; with "": with all.
func archiveQuery(with perch.JID, q url.Values) (out perch.ArchiveQuery, err error) {
	out.With = with
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
	out.Text, err = searchOf(q)
	return out, err
}

// maxSearch is how many characters a text may have that is searched for.
const maxSearch = 256

// searchOf reads the text that is searched for; "": none.
func searchOf(q url.Values) (string, error) {
	if !q.Has("q") {
		return "", nil
	}
	text := strings.TrimSpace(q.Get("q"))
	if text == "" {
		return "", perch.Invalid("?q", "is empty; leave it out to read all messages")
	}
	return text, oneLine("?q", text, maxSearch)
}
