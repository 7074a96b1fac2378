package api

import (
	"net/http"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// upstreamParam is the parameter that every operation of a session has: which upstream its access token is of,
// where there are several. It is a parameter and no header, because a page can set no header on a WebSocket; and
// it is no secret.
const upstreamParam = "upstream"

// atUpstream returns the request with the upstream that its query names.
func atUpstream(r *http.Request) (*http.Request, error) {
	if r.URL.RawQuery == "" {
		return r, nil
	}
	names := r.URL.Query()[upstreamParam]
	switch len(names) {
	case 0:
		return r, nil
	case 1:
		if names[0] == "" {
			return r, perch.Invalid("?"+upstreamParam, "names none; leave it out, and the token decides")
		}
		return r.WithContext(sessions.AtUpstream(r.Context(), "?"+upstreamParam, names[0])), nil
	}
	return r, perch.Invalid("?"+upstreamParam, "must not be repeated")
}

// withUpstream is atUpstream for the routes of a session.
func (a *API) withUpstream(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, err := atUpstream(r)
		if err != nil {
			a.writeProblem(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// atUpstream is the upstream that body or query of a sign-in name. It is that of the body when both do, and
// they must agree.
func (req *signInRequest) atUpstream(r *http.Request) (*http.Request, error) {
	named := sessions.NamedUpstream(r.Context())
	switch {
	case req.Upstream == "":
		req.Upstream = named
		return r, nil
	case named != "" && named != req.Upstream:
		return r, perch.Invalid("/upstream", "is another one than that of the query: give one of the two")
	}
	return r.WithContext(sessions.AtUpstream(r.Context(), "/upstream", req.Upstream)), oneLine("/upstream", req.Upstream, 64)
}

// ofBearer reports whether the request is about the session of the token in its header, and names no other
// credential.
func (req signInRequest) ofBearer(r *http.Request) bool {
	rooms, upstream := req.Rooms != nil, req.Upstream != ""
	req.Rooms, req.Upstream = nil, ""
	return req.isZero() && (rooms || upstream && len(r.Header.Values("Authorization")) > 0)
}
