package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

type sessionKey struct{}

// sessionFrom returns the session of the request that ctx belongs to, or nil on a route
// that needs none.
func sessionFrom(ctx context.Context) *sessions.Session {
	s, _ := ctx.Value(sessionKey{}).(*sessions.Session)
	return s
}

// maxTokenBytes bounds an access token: usual ones are about 1 kB, those of some issuers ten,
// and 16 KiB is the limit of all headers together.
const maxTokenBytes = 12 << 10

// minTokenBytes is less than any issuer makes. What is shorter is refused unread, in the header
// and in bodies alike, so that no credential is accepted that could not be sent later.
const minTokenBytes = 4

// isBearerToken reports whether text can be a bearer token.
func isBearerToken(text string) bool {
	return len(text) >= minTokenBytes && len(text) <= maxTokenBytes && visible(text)
}

// bearerOf reads the token of the Authorization header (RFC 6750, 2.1). ok is false when
// there is none.
func bearerOf(r *http.Request) (token perch.Secret, ok bool, err error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return perch.Secret{}, false, nil
	}
	scheme, text, _ := strings.Cut(values[0], " ")
	text = strings.Trim(text, " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || text == "" {
		return perch.Secret{}, false, perch.Errorf(perch.KindUnauthorized, "exactly one Authorization header is needed: Bearer <token>")
	}
	if !isBearerToken(text) {
		return perch.Secret{}, false, perch.Errorf(perch.KindUnauthorized, "the bearer token must be visible ASCII of %d to %d bytes", minTokenBytes, maxTokenBytes)
	}
	return perch.NewSecret(text), true, nil
}

// visible reports whether s is printable ASCII without blanks.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// refuseTokenInURL keeps tokens out of addresses, which are in the logs of every proxy (RFC
// 9700, 4.3.2). The token is not read, not even to refuse it.
func refuseTokenInURL(q url.Values) error {
	if slices.ContainsFunc([]string{"access_token", "token"}, q.Has) {
		return perch.Errorf(perch.KindUnauthorized, "a token in the URL is never read; treat it as leaked and send a new one in the Authorization header")
	}
	return nil
}

// callerOf is bearerOf, and refuses a request with a token in its URL.
func callerOf(r *http.Request) (token perch.Secret, ok bool, err error) {
	if r.URL.RawQuery != "" {
		if err := refuseTokenInURL(r.URL.Query()); err != nil {
			return perch.Secret{}, false, err
		}
	}
	return bearerOf(r)
}

// authenticate finds, or opens, the session of a token, within the limit on refused credentials
// of the client's address. A token that is known to have a session does not count: its user is
// not locked out by others behind the same address. A handler that reads a token from elsewhere
// than the Authorization header uses this too. *sessions.NotOwnerError is for locate.
func (a *API) authenticate(r *http.Request, token perch.Secret) (*sessions.Session, error) {
	var g credentialAttempt
	if !a.accepted.has(token) && !a.o.Sessions.Knows(r.Context(), token) {
		var err error
		if g, err = a.reserveAttempts(r, "", ""); err != nil {
			return nil, err
		}
	}
	s, err := a.o.Sessions.Authenticate(fromAddress(r), token)
	g.conclude(r.Context(), err)
	if err == nil && g != nil {
		a.audit(r, auditSignedIn, s.ID(), slog.String("credential", "bearer"))
	}
	a.auditRefusal(r, "bearer", "", err)
	if err == nil || errors.As(err, new(*sessions.NotOwnerError)) {
		a.accepted.add(token)
	} else if perch.KindOf(err) == perch.KindUnauthorized {
		a.accepted.forget(token)
	}
	return s, err
}

// withSession finds the session of the request's bearer token and puts it into the context; a
// request without one is refused.
func (a *API) withSession(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok, err := callerOf(r)
		if err == nil && !ok {
			err = perch.Errorf(perch.KindUnauthorized, "a bearer token is needed in the Authorization header")
		}
		if err != nil {
			a.writeProblem(w, r, err)
			return
		}
		a.serveAs(w, r, token, next)
	})
}

// withLiveSession is withSession for reading the state of a session and ending it: it does not
// wait for a first login.
func (a *API) withLiveSession(next http.Handler) http.Handler {
	wait := a.withSession(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var s *sessions.Session
		if token, ok, err := callerOf(r); ok && err == nil {
			s = a.o.Sessions.Live(r.Context(), token)
		}
		if s == nil {
			wait.ServeHTTP(w, r)
			return
		}
		token, _, _ := bearerOf(r)
		a.serveWith(w, r, s, token, nil, next)
	})
}

func (a *API) serveAs(w http.ResponseWriter, r *http.Request, token perch.Secret, next http.Handler) {
	s, err := a.locate(w, r, sessionLookup{token: token, find: func() (*sessions.Session, error) { return a.authenticate(r, token) }})
	if errors.Is(err, errForwarded) {
		return
	}
	a.serveWith(w, r, s, token, err, next)
}

// serveWith lets a request do what its token may do in the session that it leads to.
func (a *API) serveWith(w http.ResponseWriter, r *http.Request, s *sessions.Session, token perch.Secret, err error, next http.Handler) {
	if err == nil {
		err = a.settings().limits.token.take(w, string(s.ID()))
	}
	var by sessions.Access
	if err == nil {
		by, err = a.o.Sessions.Access(fromAddress(r), s, token)
	}
	if err == nil {
		noteSession(r, s.ID())
		r = withAccess(r, by)
		err = authorize(r, by)
	}
	if err != nil {
		a.writeProblem(w, r, err)
		return
	}
	next.ServeHTTP(w, r)
}

// withAccess puts a session, and what the request may do in it, into its context.
func withAccess(r *http.Request, by sessions.Access) *http.Request {
	ctx := context.WithValue(r.Context(), sessionKey{}, by.Session)
	return r.WithContext(context.WithValue(ctx, accessKey{}, by))
}

// needsCredential refuses what would reach the upstream on a session whose credential has
// expired. Its caches and its events can still be read.
func (a *API) needsCredential(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := credentialOf(sessionFrom(r.Context())); err != nil {
			a.writeProblem(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// credentialOf returns an error when the session is suspended because the upstream refuses its
// credential, or when it has ended.
func credentialOf(s *sessions.Session) error {
	info, err := s.Current()
	if err != nil {
		return err
	}
	if info.State != perch.StateSuspended || info.Reason != perch.ReasonCredentials {
		return nil
	}
	return perch.Errorf(perch.KindUnauthorized,
		"the upstream no longer accepts the credential of this session: PUT a fresh one to /v1/session/credentials")
}
