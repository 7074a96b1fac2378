package api

import (
	"net/http"
	"net/url"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// uploadRequest is the body of POST /v1/uploads.
type uploadRequest struct {
	Name string `json:"name" example:"cat.png" need:"yes"`
	Size *int64 `json:"size" example:"71280" need:"yes"` // of the file in bytes, exactly
	Type string `json:"type" example:"image/png"`
} // @name UploadRequest

// uploadAnswer is a slot for one file. The addresses and headers are good for this file alone.
type uploadAnswer struct {
	ID  string    `json:"id"`
	Put uploadPut `json:"put"`
	// Where the file is then: what a message has as attachment.
	GetURL string `json:"get_url" example:"https://upload.example.net/d3b0/cat.png"`
	// Takes the bytes by PUT, for pages that cannot reach put.url; left out where this gateway does not take the file.
	ProxyURL  string     `json:"proxy_url,omitempty" example:"/v1/uploads/MZXW6YTBOI"`
	ProxyOnly bool       `json:"proxy_only,omitempty"` // clients do not reach put.url
	ExpiresAt perch.Time `json:"expires_at"`
	MaxSize   int64      `json:"max_size"` // of one file in bytes; 0: the service does not say
} // @name Upload

// uploadPut is the request that takes the bytes.
type uploadPut struct {
	URL     string            `json:"url" example:"https://upload.example.net/d3b0/cat.png"`
	Headers map[string]string `json:"headers"`
} // @name UploadPut

// handleUploadCreate asks the upload service for a slot for a file (XEP-0363).
//
//	@ID				createUpload
//	@Summary		Ask for a slot for a file
//	@Description	PUT the bytes to put.url, with exactly the headers of put.headers, the size as Content-Length and the type as Content-Type, before expires_at; the gateway is not involved. A page needs an upload service that sends CORS headers, and no page can send Cookie; where that fails, PUT the bytes to proxy_url with the bearer token, if it is there. Then send a message with get_url among its attachments. GET /v1/session has uploads where the upstream takes files.
//	@Tags			uploads
//	@Accept			json
//	@Produce		json
//	@Param			body	body		uploadRequest	true	"the file"
//	@Success		201		{object}	uploadAnswer
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		403		{object}	Problem	"the upload service takes no files of this account"
//	@Failure		413		{object}	Problem	"file-too-large: max_size has the limit, if it is known"
//	@Failure		415		{object}	Problem
//	@Failure		422		{object}	Problem
//	@Failure		429		{object}	Problem	"the account has used up what the upload service gives it for now"
//	@Failure		501		{object}	Problem	"the upstream has no upload service"
//	@Failure		502		{object}	Problem
//	@Failure		503		{object}	Problem
//	@Failure		504		{object}	Problem
//	@Router			/v1/uploads [post]
//	@Security		BearerAuth
func (a *API) handleUploadCreate(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	var req uploadRequest
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	if req.Size == nil {
		return perch.Invalid("/size", "is needed: the size of the file in bytes")
	}
	up, err := sessions.UploadsOf(sessionFrom(r.Context())).Request(r.Context(), perch.UploadFile{Name: req.Name, Size: *req.Size, Type: req.Type})
	if err != nil {
		return err
	}
	answer := uploadAnswer{ID: up.ID, GetURL: up.Slot.Get, ExpiresAt: up.ExpiresAt, MaxSize: up.MaxSize, ProxyOnly: up.ProxyOnly,
		Put: uploadPut{URL: up.Slot.Put.Reveal(), Headers: map[string]string{}}}
	for _, h := range up.Slot.Headers {
		answer.Put.Headers[h.Name] = h.Value.Reveal()
	}
	if up.Proxied {
		answer.ProxyURL = uploadPath + url.PathEscape(up.ID)
	}
	return writeJSON(w, http.StatusCreated, answer)
}
