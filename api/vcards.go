package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"net/http"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// vcardRequest is the body of PUT /v1/vcards/me: the whole card.
type vcardRequest struct {
	FullName     string        `json:"full_name"`
	Nickname     string        `json:"nickname"`
	GivenName    string        `json:"given_name"`
	FamilyName   string        `json:"family_name"`
	Emails       []string      `json:"emails"`
	Phones       []string      `json:"phones"`
	Organization string        `json:"organization"`
	Title        string        `json:"title"`
	Birthday     string        `json:"birthday"`
	URL          string        `json:"url"`
	Description  string        `json:"description"`
	Photo        *photoRequest `json:"photo"`
} // @name VCardRequest

// photoRequest is a picture. Its type is determined from its bytes.
type photoRequest struct {
	Data string `json:"data" format:"byte" need:"yes"` // base64
} // @name PhotoRequest

// handleVCard returns the card of an account.
//
//	@ID			getVCard
//	@Summary	A vCard (XEP-0054)
//	@Tags		vcards
//	@Produce	json,text/vcard
//	@Param		jid		path		string	true	"JID, percent-encoded"
//	@Param		refresh	query		int		false	"1: ask the upstream, even if the card is in the cache"	Enums(0, 1)
//	@Success	200		{object}	perch.VCard
//	@Header		200		{string}	ETag	"of the card"
//	@Success	304
//	@Failure	401	{object}	Problem
//	@Failure	403	{object}	Problem
//	@Failure	404	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Failure	502	{object}	Problem
//	@Failure	503	{object}	Problem
//	@Failure	504	{object}	Problem
//	@Router		/v1/vcards/{jid} [get]
//	@Security	BearerAuth
func (a *API) handleVCard(w http.ResponseWriter, r *http.Request) error {
	jid, err := pathAddress(r)
	if err != nil {
		return err
	}
	return writeVCard(w, r, jid)
}

// handleOwnVCard returns the account's own card.
//
//	@ID			getOwnVCard
//	@Summary	Own vCard
//	@Tags		vcards
//	@Produce	json,text/vcard
//	@Param		refresh	query		int	false	"1: ask the upstream, even if the card is in the cache"	Enums(0, 1)
//	@Success	200		{object}	perch.VCard
//	@Success	304
//	@Failure	401	{object}	Problem
//	@Failure	404	{object}	Problem
//	@Failure	503	{object}	Problem
//	@Router		/v1/vcards/me [get]
//	@Security	BearerAuth
func (a *API) handleOwnVCard(w http.ResponseWriter, r *http.Request) error {
	jid, err := ownJID(sessionFrom(r.Context()))
	if err != nil {
		return err
	}
	return writeVCard(w, r, jid)
}

// ownJID is the account's address, which is known after the first login.
func ownJID(s *sessions.Session) (perch.JID, error) {
	info, err := s.Current()
	if err != nil {
		return "", err
	}
	jid := info.JID.Bare()
	if jid == "" {
		return "", perch.Errorf(perch.KindSessionOffline, "the session has never been online: its JID is not known yet")
	}
	return jid, nil
}

func writeVCard(w http.ResponseWriter, r *http.Request, jid perch.JID) error {
	q, err := queryOf(r, "refresh")
	if err != nil {
		return err
	}
	refresh, err := flagOf(q, "refresh")
	if err != nil {
		return err
	}
	card, err := vcardOf(r.Context(), sessionFrom(r.Context()), jid, refresh)
	if err != nil {
		return err
	}
	w.Header().Add("Vary", "Accept")
	content := card
	content.FetchedAt = 0
	if negotiate(r, "application/json", "text/vcard;version=4.0") == "application/json" {
		return writeTaggedBy(w, r, card, content)
	}
	text := vcardText(card)
	etag, err := etagOf(text)
	if err != nil {
		return err
	}
	if notModified(w, r, etag) {
		return nil
	}
	w.Header().Set("Content-Type", "text/vcard; charset=utf-8")
	_, _ = w.Write([]byte(text))
	return nil
}

// vcardOf reads a card, from the cache in whatever state the session is.
func vcardOf(ctx context.Context, s *sessions.Session, jid perch.JID, refresh bool) (perch.VCard, error) {
	card, err := s.VCard(ctx, jid, refresh)
	if err != nil && perch.KindOf(err) == perch.KindSessionOffline {
		// It is not in the cache; if the credential has expired, waiting does not help.
		err = cmp.Or(credentialOf(s), err)
	}
	return card, err
}

// handlePhoto serves the picture of an account to browsers, and nothing else.
//
//	@ID				getPhoto
//	@Summary		Photo of an account
//	@Description	The avatar that the account has published (XEP-0084), else the photo of its vCard (XEP-0153), from the cache of cards: for a day, or until presence names another one.
//	@Tags			vcards
//	@Produce	png,jpeg,gif
//	@Param		jid	path		string	true	"JID, percent-encoded"
//	@Param		refresh	query	int	false	"1: ask the upstream, even if it is in the cache"	Enums(0, 1)
//	@Success	200	{file}		file
//	@Header		200	{string}	ETag	"of the picture"
//	@Success	304
//	@Failure	401	{object}	Problem
//	@Failure	404	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Failure	503	{object}	Problem
//	@Router		/v1/vcards/{jid}/photo [get]
//	@Security	BearerAuth
func (a *API) handlePhoto(w http.ResponseWriter, r *http.Request) error {
	jid, err := pathAddress(r)
	if err != nil {
		return err
	}
	return servePhoto(w, r, jid)
}

// handleOwnPhoto serves the picture of the account itself.
//
//	@ID				getOwnPhoto
//	@Summary		Own photo
//	@Description	The avatar of the account (XEP-0084), else the photo of its vCard, from the cache of cards for a day. Presence does not tell of one that another device sets: refresh=1 does.
//	@Tags			vcards
//	@Produce		png,jpeg,gif
//	@Param			refresh	query	int		false	"1: ask the upstream, even if it is in the cache"	Enums(0, 1)
//	@Success		200		{file}	file
//	@Header			200		{string}	ETag	"of the picture"
//	@Success		304
//	@Failure		401	{object}	Problem
//	@Failure		404	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		503	{object}	Problem
//	@Router			/v1/vcards/me/photo [get]
//	@Security		BearerAuth
func (a *API) handleOwnPhoto(w http.ResponseWriter, r *http.Request) error {
	jid, err := ownJID(sessionFrom(r.Context()))
	if err != nil {
		return err
	}
	return servePhoto(w, r, jid)
}

func servePhoto(w http.ResponseWriter, r *http.Request, jid perch.JID) error {
	q, err := queryOf(r, "refresh")
	if err != nil {
		return err
	}
	refresh, err := flagOf(q, "refresh")
	if err != nil {
		return err
	}
	card, err := vcardOf(r.Context(), sessionFrom(r.Context()), jid, refresh)
	if err != nil {
		return err
	}
	if card.Photo == nil || len(card.Photo.Data) == 0 {
		return perch.Errorf(perch.KindItemNotFound, "the account has no picture that is embedded")
	}
	return writePhoto(w, r, card.Photo.Data)
}

// handleOwnPhotoPut gives the account a picture.
//
//	@ID				setOwnPhoto
//	@Summary		Set the own photo
//	@Description	At most 96 KiB, and 4096 by 4096. It becomes the avatar of the account (XEP-0084), and the photo of its card where the server does not see to that itself; the rest of the card stays.
//	@Tags			vcards
//	@Accept			json
//	@Param			body	body	photoRequest	true	"the picture"
//	@Success		204
//	@Failure		400	{object}	Problem
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem
//	@Failure		413	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		501	{object}	Problem	"the upstream stores no photos"
//	@Failure		502	{object}	Problem
//	@Failure		503	{object}	Problem
//	@Failure		504	{object}	Problem
//	@Router			/v1/vcards/me/photo [put]
//	@Security		BearerAuth
func (a *API) handleOwnPhotoPut(w http.ResponseWriter, r *http.Request) error {
	var req photoRequest
	if _, err := queryOf(r); err != nil {
		return err
	}
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	data, err := req.picture("/data")
	if err != nil {
		return err
	}
	return done(w, sessions.SetPhoto(r.Context(), sessionFrom(r.Context()), data))
}

// handleOwnPhotoRemove takes the picture of the account away.
//
//	@ID			removeOwnPhoto
//	@Summary	Remove the own photo
//	@Tags		vcards
//	@Success	204
//	@Failure	401	{object}	Problem
//	@Failure	403	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Failure	501	{object}	Problem	"the upstream stores no photos"
//	@Failure	502	{object}	Problem
//	@Failure	503	{object}	Problem
//	@Failure	504	{object}	Problem
//	@Router		/v1/vcards/me/photo [delete]
//	@Security	BearerAuth
func (a *API) handleOwnPhotoRemove(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	return done(w, sessions.SetPhoto(r.Context(), sessionFrom(r.Context()), nil))
}

// handleOwnVCardPut replaces the account's own card.
//
//	@ID			setOwnVCard
//	@Summary	Set the own vCard
//	@Tags		vcards
//	@Accept		json
//	@Param		body	body	vcardRequest	true	"the whole card"
//	@Success	204
//	@Failure	400	{object}	Problem
//	@Failure	401	{object}	Problem
//	@Failure	413	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Failure	501	{object}	Problem	"cards of this upstream are read-only"
//	@Failure	503	{object}	Problem
//	@Router		/v1/vcards/me [put]
//	@Security	BearerAuth
func (a *API) handleOwnVCardPut(w http.ResponseWriter, r *http.Request) error {
	var req vcardRequest
	if _, err := queryOf(r); err != nil {
		return err
	}
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	card, err := req.card()
	if err != nil {
		return err
	}
	return done(w, sessionFrom(r.Context()).SetVCard(r.Context(), card))
}

func (req vcardRequest) card() (perch.VCard, error) {
	card := perch.VCard{
		FullName: req.FullName, Nickname: req.Nickname, GivenName: req.GivenName, FamilyName: req.FamilyName,
		Emails: req.Emails, Phones: req.Phones, Organization: req.Organization, Title: req.Title,
		Birthday: req.Birthday, URL: req.URL, Description: req.Description,
	}
	for pointer, s := range map[string]string{
		"/full_name": req.FullName, "/nickname": req.Nickname, "/given_name": req.GivenName, "/family_name": req.FamilyName,
		"/organization": req.Organization, "/title": req.Title, "/birthday": req.Birthday, "/url": req.URL,
	} {
		if err := oneLine(pointer, s, 1024); err != nil {
			return card, err
		}
	}
	for pointer, list := range map[string][]string{"/emails": req.Emails, "/phones": req.Phones} {
		if len(list) > 20 {
			return card, perch.Invalid(pointer, "must have at most 20 entries")
		}
		for _, s := range list {
			if err := oneLine(pointer, s, 320); err != nil {
				return card, err
			}
		}
	}
	if req.Photo == nil {
		return card, nil
	}
	data, err := base64.StdEncoding.DecodeString(req.Photo.Data)
	if err != nil {
		return card, perch.Invalid("/photo/data", "must be base64")
	}
	typ, err := sniffPhoto(data)
	if err != nil {
		return card, perch.Invalid("/photo/data", "must be a PNG, JPEG, WebP or GIF picture of at most %d by %d", maxPhotoSide, maxPhotoSide)
	}
	card.Photo = &perch.Photo{Type: typ, Size: len(data), Data: data}
	return card, nil
}
