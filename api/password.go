package api

import (
	"net/http"
	"strings"
	"unicode"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// passwordRequest is the body of PUT /v1/session/password.
type passwordRequest struct {
	Current string `json:"current"` // the password that the session signs in with
	New     string `json:"new"`
} // @name PasswordRequest

// handlePassword changes the password of the account, on the XMPP server and here.
//
//	@ID				changePassword
//	@Summary		Change the password
//	@Description	Gives the account another password on its XMPP server (XEP-0077), and the session signs in with it from then on. The session stays online and its tokens stay valid. Other sessions of the account keep their streams, and need PUT /v1/session/credentials once those end. 403: current is not the password of the session, or the server does not let the account. 422 at /new: the server does not take this password. 501: the session signs in with an access token, or the server cannot change passwords. After 504 or 503 of the upstream the password may have been changed: sign in to find out.
//	@Tags			session
//	@Accept			json
//	@Param			body	body	passwordRequest	true	"the password of now, and the one to come"
//	@Success		204
//	@Failure		400	{object}	Problem
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem
//	@Failure		409	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		429	{object}	Problem
//	@Failure		501	{object}	Problem	"no password to change, or none that the server changes"
//	@Failure		502	{object}	Problem
//	@Failure		503	{object}	Problem
//	@Failure		504	{object}	Problem
//	@Router			/v1/session/password [put]
//	@Security		BearerAuth
func (a *API) handlePassword(w http.ResponseWriter, r *http.Request) error {
	var req passwordRequest
	if _, err := queryOf(r); err != nil {
		return err
	}
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	if err := req.check(); err != nil {
		return err
	}
	return done(w, a.tryCredential(r, "password", auditPassword, func(s *sessions.Session) error {
		return a.o.Sessions.ChangePassword(r.Context(), s, perch.NewSecret(req.Current), perch.NewSecret(req.New))
	}))
}

func (req passwordRequest) check() error {
	for _, f := range []struct{ pointer, value string }{{"/current", req.Current}, {"/new", req.New}} {
		switch {
		case f.value == "":
			return perch.Invalid(f.pointer, "is needed")
		case len(f.value) > maxSecretBytes:
			return perch.Invalid(f.pointer, "must have at most %d bytes", maxSecretBytes)
		case strings.ContainsFunc(f.value, unicode.IsControl):
			return perch.Invalid(f.pointer, "must not have control characters")
		}
	}
	return nil
}
