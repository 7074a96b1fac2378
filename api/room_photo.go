package api

import (
	"encoding/base64"
	"net/http"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// handleRoomPhoto serves the picture of a room.
//
//	@ID			getRoomPhoto
//	@Summary	Picture of a room
//	@Tags		rooms
//	@Produce	png,jpeg,gif
//	@Param		jid	path	string	true	"bare JID of the room, percent-encoded"
//	@Success	200	{file}	file
//	@Success	304
//	@Failure	401	{object}	Problem
//	@Failure	404	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Failure	501	{object}	Problem	"the upstream has no rooms"
//	@Failure	502	{object}	Problem
//	@Failure	503	{object}	Problem
//	@Failure	504	{object}	Problem
//	@Router		/v1/rooms/{jid}/photo [get]
//	@Security	BearerAuth
func (a *API) handleRoomPhoto(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	jid, err := pathRoom(r)
	if err != nil {
		return err
	}
	card, err := sessions.RoomsOf(sessionFrom(r.Context())).RoomCard(r.Context(), jid)
	if err != nil {
		return err
	}
	if card.Photo == nil || len(card.Photo.Data) == 0 {
		return perch.Errorf(perch.KindItemNotFound, "the room has no picture")
	}
	return writePhoto(w, r, card.Photo.Data)
}

// maxRoomPhoto bounds the picture of a room, in bytes: every occupant fetches it.
const maxRoomPhoto = 96 << 10

// picture returns the bytes of a picture; pointer names its field.
func (req *photoRequest) picture(pointer string) ([]byte, error) {
	if req.Data == "" {
		return nil, perch.Invalid(pointer, "is needed: base64 of a picture")
	}
	data, err := base64.StdEncoding.DecodeString(req.Data)
	switch {
	case err != nil:
		return nil, perch.Invalid(pointer, "must be base64")
	case len(data) > maxRoomPhoto:
		return nil, perch.Invalid(pointer, "must be a picture of at most %d KiB", maxRoomPhoto>>10)
	}
	if _, err := sniffPhoto(data); err != nil {
		return nil, perch.Invalid(pointer, "must be a PNG, JPEG, WebP or GIF picture of at most %d by %d", maxPhotoSide, maxPhotoSide)
	}
	return data, nil
}

// handleRoomPhotoPut gives a room a picture.
//
//	@ID				setRoomPhoto
//	@Summary		Set the picture
//	@Description	At most 96 KiB, and 4096 by 4096: all occupants fetch it.
//	@Tags			rooms
//	@Accept			json
//	@Param			jid		path	string			true	"bare JID of the room, percent-encoded"
//	@Param			body	body	photoRequest	true	"the picture"
//	@Success		204
//	@Failure		400	{object}	Problem
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem	"the account does not own the room"
//	@Failure		404	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		501	{object}	Problem	"the upstream has no rooms, or this one no picture"
//	@Failure		502	{object}	Problem
//	@Failure		503	{object}	Problem
//	@Failure		504	{object}	Problem
//	@Router			/v1/rooms/{jid}/photo [put]
//	@Security		BearerAuth
func (a *API) handleRoomPhotoPut(w http.ResponseWriter, r *http.Request) error {
	var req photoRequest
	jid, err := roomRequest(r, &req)
	if err != nil {
		return err
	}
	data, err := req.picture("/data")
	if err != nil {
		return err
	}
	return done(w, sessions.RoomsOf(sessionFrom(r.Context())).SetRoomPhoto(r.Context(), jid, data))
}

// handleRoomPhotoRemove takes the picture of a room away.
//
//	@ID			removeRoomPhoto
//	@Summary	Remove the picture
//	@Tags		rooms
//	@Param		jid	path	string	true	"bare JID of the room, percent-encoded"
//	@Success	204
//	@Failure	401	{object}	Problem
//	@Failure	403	{object}	Problem	"the account does not own the room"
//	@Failure	404	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Failure	501	{object}	Problem	"the upstream has no rooms, or this one no picture"
//	@Failure	502	{object}	Problem
//	@Failure	503	{object}	Problem
//	@Failure	504	{object}	Problem
//	@Router		/v1/rooms/{jid}/photo [delete]
//	@Security	BearerAuth
func (a *API) handleRoomPhotoRemove(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	jid, err := pathRoom(r)
	if err != nil {
		return err
	}
	return done(w, sessions.RoomsOf(sessionFrom(r.Context())).SetRoomPhoto(r.Context(), jid, nil))
}
