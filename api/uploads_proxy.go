package api

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/dialguard"
	"github.com/perch-im/perch/sessions"
)

const (
	uploadsAtOnce    = 256 // files that pass through this node
	uploadDialTime   = 10 * time.Second
	uploadHeadBytes  = 16 << 10 // of the answer of an upload service
	uploadCopyBuffer = 32 << 10
)

// The route of files, and where it begins.
const (
	uploadPath    = "/v1/uploads/"
	uploadPattern = uploadPath + "{id}"
)

// uploadPlaces bound what passes through a node: a place is taken at once, or there is none.
type uploadPlaces chan struct{}

func (p uploadPlaces) take() (free func(), err error) {
	select {
	case p <- struct{}{}:
		return func() { <-p }, nil
	default:
		return nil, &perch.Error{Kind: perch.KindQuotaExceeded, RetryAfter: time.Second,
			Detail: "too many files pass through this gateway just now: wait, or PUT the file to put.url"}
	}
}

// uploadDone is the answer when the upload service has the file.
type uploadDone struct {
	GetURL string `json:"get_url" example:"https://upload.example.net/d3b0/cat.png"`
} // @name UploadDone

// handleUploadPut passes the bytes of a file on to the slot that POST /v1/uploads has got for it. The
// gateway keeps none of them.
//
//	@ID				putUpload
//	@Summary		Pass a file on to its slot
//	@Description	For pages that cannot reach put.url, where POST /v1/uploads gives a proxy_url. The body is the file, of exactly the size that was asked for, with its Content-Length; the type that was asked for goes along. One file of a session at a time. A file may take as long as it makes progress: 64 KiB in 30 seconds. Nothing is stored here; no redirect is followed. After an error the same slot may be tried again until it expires.
//	@Tags			uploads
//	@Produce		json
//	@Param			id	path		string		true	"id of the upload"
//	@Success		201	{object}	uploadDone	"the upload service has the file"
//	@Failure		401	{object}	Problem
//	@Failure		404	{object}	Problem	"there is no such slot, or it has expired, or this gateway takes no files"
//	@Failure		409	{object}	Problem	"another file of the session is under way"
//	@Failure		411	{object}	Problem	"without a Content-Length"
//	@Failure		413	{object}	Problem
//	@Failure		415	{object}	Problem	"with a Content-Encoding"
//	@Failure		422	{object}	Problem	"of another size"
//	@Failure		429	{object}	Problem
//	@Failure		502	{object}	Problem	"upload-refused: upstream_status has the status of the upload service"
//	@Failure		503	{object}	Problem
//	@Failure		504	{object}	Problem	"no progress"
//	@Router			/v1/uploads/{id} [put]
//	@Security		BearerAuth
func (a *API) handleUploadPut(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	id, err := pathText(r, "id")
	if err != nil {
		return err
	}
	if err := a.checkUploadHead(r); err != nil {
		return err
	}
	s := sessionFrom(r.Context())
	up, release, err := sessions.UploadsOf(s).Begin(r.Context(), id)
	if err != nil {
		return err
	}
	done := false
	defer func() { release(done) }()
	if r.ContentLength != up.File.Size {
		return perch.Invalid("Content-Length", "must be %d, the size that the slot was asked for", up.File.Size)
	}
	free, err := a.uploads.take()
	if err != nil {
		return err
	}
	defer free()
	if err := a.putFile(w, r, &up, s.Info().Upstream); err != nil {
		return err
	}
	done = true
	return writeJSON(w, http.StatusCreated, uploadDone{GetURL: up.Slot.Get})
}

// checkUploadHead refuses by the head of a request what cannot be one file of a known size.
func (a *API) checkUploadHead(r *http.Request) error {
	limit := a.settings().Uploads.Bytes
	switch {
	case r.ContentLength < 0:
		return perch.Errorf(slugLengthRequired, "a Content-Length is needed: the size of the file")
	case r.ContentLength > limit:
		return &perch.Error{Kind: perch.KindBodyTooLarge, Detail: "the file is larger than this gateway takes", MaxSize: limit,
			Fields: []perch.FieldError{{Pointer: "Content-Length", Detail: "is more than this gateway takes"}}}
	case r.Header.Get("Content-Encoding") != "":
		return perch.Errorf(perch.KindUnsupportedMedia, "the body must be the file itself, without a content encoding")
	}
	return nil
}

// putFile sends the body of r to a slot and waits for the answer. Nil: the service has the file.
func (a *API) putFile(w http.ResponseWriter, r *http.Request, up *sessions.Upload, upstream string) error {
	ctx, body := newUploadBody(r.Context(), w, r)
	defer body.end()
	err := a.passFile(ctx, body, up, upstream)
	a.o.Observer.Upload(uploadResult(r.Context(), body, err), body.moved())
	return err
}

// passFile makes the request of a file, and judges its answer.
func (a *API) passFile(ctx context.Context, body *uploadBody, up *sessions.Upload, upstream string) error {
	req, err := uploadRequestTo(ctx, up, body)
	if err != nil {
		return err
	}
	transport := a.uploadTransport(upstream)
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req) // which follows no redirect
	if err != nil {
		return uploadFailure(ctx, body, err)
	}
	_ = res.Body.Close()
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return nil
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return &perch.Error{Kind: perch.KindUploadRefused, UpstreamStatus: res.StatusCode, Detail: "the upload service leads to another address, which is not followed"}
	}
	e := perch.Errorf(perch.KindUploadRefused, "the upload service answered %d %s", res.StatusCode, http.StatusText(res.StatusCode))
	e.UpstreamStatus = res.StatusCode
	return e
}

func uploadRequestTo(ctx context.Context, up *sessions.Upload, body *uploadBody) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, up.Slot.Put.Reveal(), body) //nolint:gosec // the guard of the transport sees each address
	if err != nil {
		return nil, perch.Errorf(perch.KindUploadRefused, "the address of the upload service cannot be used") // its error has the address
	}
	if req.ContentLength = up.File.Size; up.File.Size == 0 {
		req.Body = http.NoBody
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	if up.File.Type != "" {
		req.Header.Set("Content-Type", up.File.Type)
	}
	req.Header.Set("User-Agent", "Perch")
	for _, h := range up.Slot.Headers {
		req.Header.Set(h.Name, h.Value.Reveal())
	}
	return req, nil
}

// uploadTransport is for one upload: one connection, to an address that the guard has seen, past any proxy
// of the environment.
func (a *API) uploadTransport(upstream string) *http.Transport {
	o := a.settings().Uploads
	dialer := &net.Dialer{Timeout: uploadDialTime, Control: dialguard.Guard{Allow: o.Allow}.Control}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	t := &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: uploadDialTime, Protocols: protocols,
		DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: uploadHeadBytes, WriteBufferSize: uploadCopyBuffer,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if o.Roots != nil {
		t.TLSClientConfig.RootCAs = o.Roots(upstream)
	}
	return t
}

// uploadFailure is why an upload has no answer. No cause has the address of the slot.
func uploadFailure(ctx context.Context, body *uploadBody, err error) error {
	_, failed := body.spent()
	switch {
	case errors.Is(context.Cause(ctx), errStalled):
		return perch.Wrap(perch.KindUpstreamTimeout, errStalled, "nothing of the file has moved for %d seconds", int(uploadStall.Seconds()))
	case errors.Is(err, dialguard.ErrRefused):
		return perch.Wrap(perch.KindUploadRefused, err, "the address of the upload service is not a public one: the operator of this gateway has to allow its network (--upload-proxy-allow)")
	case failed != nil:
		return perch.Wrap(perch.KindValidation, failed, "Content-Length: the body ended before it, or could not be read")
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return perch.Wrap(perch.KindUpstreamTLS, err, "the certificate of the upload service is not valid for its address")
	}
	return perch.Wrap(perch.KindUploadRefused, err, "the upload service cannot be reached, or closed the connection")
}

// uploadResult is what became of a file, for Observer.Upload; ctx is that of the client.
func uploadResult(ctx context.Context, body *uploadBody, err error) string {
	e, _ := errors.AsType[*perch.Error](err)
	_, failed := body.spent()
	switch {
	case err == nil:
		return UploadOK
	case errors.Is(err, errStalled):
		return UploadStalled
	case e != nil && e.UpstreamStatus != 0:
		return UploadRefused
	case failed != nil || ctx.Err() != nil:
		return UploadAborted
	}
	return UploadUnreachable
}
