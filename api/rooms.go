package api

import (
	"net/http"
	"slices"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// roomList is a page of the rooms of a session, sorted by the normal form of the JID.
type roomList struct {
	Items []perch.Room `json:"items"`
	Next  *string      `json:"next"`
} // @name RoomList

// roomStates are what a list of rooms can be bounded to.
var roomStates = map[string]func(*perch.Room) bool{
	"joined":     func(v *perch.Room) bool { return v.State == perch.RoomStateJoined },
	"bookmarked": func(v *perch.Room) bool { return v.Bookmark != nil },
	"invited":    func(v *perch.Room) bool { return v.Invited != nil },
}

// handleRooms lists the rooms of the session.
//
//	@ID				listRooms
//	@Summary		List rooms
//	@Description	The rooms that the account is in, has in its bookmarks, is invited to, or was in while the session lasted: whatever becomes of them, until DELETE /v1/rooms/{jid}?forget=1.
//	@Tags			rooms
//	@Produce		json
//	@Param			state	query		string	false	"only these"	Enums(joined, bookmarked, invited)
//	@Param			limit	query		int		false	"items a page; 50"	minimum(1)	maximum(200)
//	@Param			cursor	query		string	false	"next of the page before"
//	@Success		200		{object}	roomList
//	@Header			200		{string}	Link	"rel=next"
//	@Success		304
//	@Failure		401	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		501	{object}	Problem	"the upstream has no rooms"
//	@Failure		503	{object}	Problem
//	@Router			/v1/rooms [get]
//	@Security		BearerAuth
func (a *API) handleRooms(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "state", "limit", "cursor")
	if err != nil {
		return err
	}
	p, err := pageOf(q)
	if err != nil {
		return err
	}
	fits, known := roomStates[q.Get("state")]
	if q.Has("state") && !known {
		return perch.Invalid("?state", "must be joined, bookmarked or invited")
	}
	all, err := sessions.RoomsOf(sessionFrom(r.Context())).Rooms(r.Context())
	if err != nil {
		return err
	}
	if fits != nil {
		all = slices.DeleteFunc(all, func(v perch.Room) bool { return !fits(&v) })
	}
	var list roomList
	list.Items, list.Next = cut(p, all, func(v perch.Room) string { return string(v.JID.Key()) })
	if list.Next != nil {
		linkPage(w, r, "next", map[string]string{"cursor": *list.Next})
	}
	return writeTagged(w, r, list)
}

// handleRoomShow shows one room.
//
//	@ID			getRoom
//	@Summary	One room
//	@Tags		rooms
//	@Produce	json
//	@Param		jid	path		string	true	"bare JID of the room, percent-encoded"
//	@Success	200	{object}	perch.Room
//	@Success	304
//	@Failure	401	{object}	Problem
//	@Failure	404	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Failure	501	{object}	Problem	"the upstream has no rooms"
//	@Failure	503	{object}	Problem
//	@Router		/v1/rooms/{jid} [get]
//	@Security	BearerAuth
func (a *API) handleRoomShow(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	jid, err := pathRoom(r)
	if err != nil {
		return err
	}
	v, err := sessions.RoomsOf(sessionFrom(r.Context())).Room(r.Context(), jid)
	if err != nil {
		return err
	}
	return writeTagged(w, r, v)
}

// roomPatch changes the fields that are there.
type roomPatch struct {
	Nick      *string `json:"nick"`     // asked for in the room; room.changed says whether it is so
	Name      *string `json:"name"`     // of the bookmark
	AutoJoin  *bool   `json:"autojoin"` // of the bookmark
	Delivery  *string `json:"delivery" enums:"all,mentions,none"`
	Occupants *string `json:"occupants" enums:"none,count,live"`
} // @name RoomPatch

// checked returns the change, which is one at least.
func (req *roomPatch) checked() (c sessions.RoomChange, err error) {
	if req.Nick == nil && req.Name == nil && req.AutoJoin == nil && req.Delivery == nil && req.Occupants == nil {
		return c, perch.Invalid("/nick", "this, or name, autojoin, delivery or occupants is needed")
	}
	c.Nick, c.Name, c.AutoJoin = req.Nick, req.Name, req.AutoJoin
	if req.Nick != nil {
		if *req.Nick == "" {
			return c, perch.Invalid("/nick", "must not be empty")
		}
		if err := checkNick("/nick", *req.Nick); err != nil {
			return c, err
		}
	}
	if req.Name != nil {
		if err := oneLine("/name", *req.Name, maxRoomNameChars); err != nil {
			return c, err
		}
	}
	c.Delivery, c.OccupantEvents, err = roomVolume(req.Delivery, req.Occupants)
	return c, err
}

// roomVolume reads how much of a room becomes events; nil leaves it as it is.
func roomVolume(delivery, occupants *string) (d perch.RoomDelivery, o perch.OccupantEvents, err error) {
	if delivery != nil {
		d = perch.RoomDelivery(*delivery)
		if !slices.Contains([]perch.RoomDelivery{perch.DeliverAll, perch.DeliverMentions, perch.DeliverNone}, d) {
			return d, o, perch.Invalid("/delivery", "must be all, mentions or none")
		}
	}
	if occupants != nil {
		o = perch.OccupantEvents(*occupants)
		if !slices.Contains([]perch.OccupantEvents{perch.OccupantEventsNone, perch.OccupantEventsCount, perch.OccupantEventsLive}, o) {
			return d, o, perch.Invalid("/occupants", "must be none, count or live")
		}
	}
	return d, o, nil
}

// handleRoomPatch changes what the account wants of a room.
//
//	@ID				updateRoom
//	@Summary		Nick, bookmark, and what becomes events
//	@Description	delivery: which messages become durable events (all, mentions of the account, none); the others only count as unread. occupants: whether streams get room.occupants (count), and room.occupant for each change (live). Another nick is asked for: room.changed says when the room has it.
//	@Tags			rooms
//	@Accept			json
//	@Produce		json
//	@Param			jid		path		string		true	"bare JID of the room, percent-encoded"
//	@Param			body	body		roomPatch	true	"what to change"
//	@Success		200		{object}	perch.Room
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		404		{object}	Problem
//	@Failure		422		{object}	Problem
//	@Failure		501		{object}	Problem	"the upstream has no rooms"
//	@Failure		503		{object}	Problem
//	@Router			/v1/rooms/{jid} [patch]
//	@Security		BearerAuth
func (a *API) handleRoomPatch(w http.ResponseWriter, r *http.Request) error {
	var req roomPatch
	jid, err := roomRequest(r, &req)
	if err != nil {
		return err
	}
	change, err := req.checked()
	if err != nil {
		return err
	}
	v, err := sessions.RoomsOf(sessionFrom(r.Context())).ChangeRoom(r.Context(), jid, change)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, v)
}
