package api

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/perch-im/perch"
)

// healthAnswer is the answer of /livez and /readyz.
type healthAnswer struct {
	Status string `json:"status"` // ok, draining or not-ready
	Detail string `json:"detail,omitempty"`
} // @name Health

// versionAnswer is the answer of /version.
type versionAnswer struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of the source, with "+dirty" when it was changed
	Go       string `json:"go"`
} // @name Version

// readyTime bounds one check of the store: a probe must get its answer.
const readyTime = 2 * time.Second

// AdminHandler is everything that the operator's listener serves: health, version, metrics, pprof,
// the operator's API and its page. The API alone asks who comes, so that listener belongs on
// loopback or on a private network.
func (a *API) AdminHandler() http.Handler {
	r := chi.NewRouter()
	r.Use(withRequestID, a.withRecover, withHeaders, a.withAdminHost, withEscapedPath, a.withHead, middleware.ClientIPFromRemoteAddr, noteClient)
	r.NotFound(a.handleAdminNotFound)
	r.MethodNotAllowed(a.handleAdminMethod)
	r.Get("/admin/v1/openapi.yaml", a.wrap(describe(a.o.Admin.OpenAPI)))
	r.Group(func(r chi.Router) {
		r.Use(a.withOperator)
		a.routesOfAdmin(r)
	})
	r.Get("/livez", a.wrap(a.handleLive))
	r.Get("/readyz", a.wrap(a.handleReady))
	r.Get("/version", a.wrap(a.handleVersion))
	if a.o.Metrics != nil {
		r.Get("/metrics", a.o.Metrics.ServeHTTP)
	}
	r.Group(func(r chi.Router) {
		r.Use(withProfileTime)
		r.Get("/debug/pprof/", pprof.Index)
		r.Get("/debug/pprof/{profile}", pprof.Index)
		r.Get("/debug/pprof/cmdline", a.wrap(handleCommandLine))
		r.Get("/debug/pprof/profile", pprof.Profile)
		r.Get("/debug/pprof/symbol", pprof.Symbol)
		r.Post("/debug/pprof/symbol", pprof.Symbol)
		r.Get("/debug/pprof/trace", pprof.Trace)
	})
	return r
}

// profileTime bounds a profile, whose client chooses how long it takes.
const profileTime = 10 * time.Minute

func withProfileTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setDeadlines(w, profileTime, profileTime)
		next.ServeHTTP(w, r)
	})
}

// handleCommandLine is in place of the one of net/http/pprof, which shows every argument,
// secrets too. go tool pprof asks for it and needs only the program's name.
func handleCommandLine(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, os.Args[0])
	return nil
}

// withAdminHost refuses requests for names that are not of this listener: a page whose name
// an attacker lets resolve to this address (DNS rebinding) could otherwise read metrics and
// profiles through the operator's browser. An IP address in the Host header is allowed; a name is
// when it is local, or in Options.AdminHosts.
func (a *API) withAdminHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.adminHost(r.Host) {
			a.writeProblem(w, r, perch.Errorf(perch.KindForbidden, "the host %s is not allowed on this listener: see --admin-host", quoteShort(r.Host)))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *API) adminHost(host string) bool {
	host = hostName(host)
	if host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true // "" is HTTP/1.0, which no browser speaks
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return slices.ContainsFunc(a.settings().AdminHosts, func(h string) bool { return strings.EqualFold(strings.TrimSuffix(h, "."), host) })
}

// hostName is the name or address in a Host header: without the port and brackets, in lower case.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// handleLive reports that the process answers. It checks nothing else: a restart because the
// store is unavailable would end every session to no purpose.
//
//	@Summary	Whether the process is alive
//	@Tags		admin
//	@Produce	json
//	@Success	200	{object}	healthAnswer
//	@Router		/livez [get]
func (a *API) handleLive(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, healthAnswer{Status: "ok"})
}

// handleReady reports whether the node accepts new requests: not while draining, and not
// without a store. The XMPP state of a single session never counts.
//
//	@Summary	Whether this node accepts requests
//	@Tags		admin
//	@Produce	json
//	@Success	200	{object}	healthAnswer
//	@Failure	503	{object}	healthAnswer
//	@Router		/readyz [get]
func (a *API) handleReady(w http.ResponseWriter, r *http.Request) error {
	if a.draining.Load() {
		return writeJSON(w, http.StatusServiceUnavailable, healthAnswer{Status: "draining"})
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	if err := a.o.Sessions.Ready(ctx); err != nil {
		answer := healthAnswer{Status: "not-ready", Detail: kinded(err).Detail}
		if perch.KindOf(err) == perch.KindDraining {
			answer.Status = "draining"
		}
		return writeJSON(w, http.StatusServiceUnavailable, answer)
	}
	return writeJSON(w, http.StatusOK, healthAnswer{Status: "ok"})
}

// handleVersion reports which version is running.
//
//	@Summary	Version of the program
//	@Tags		admin
//	@Produce	json
//	@Success	200	{object}	versionAnswer
//	@Router		/version [get]
func (a *API) handleVersion(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, versionAnswer{Version: a.o.Version, Revision: revision(), Go: runtime.Version()})
}

// revision reads the revision of the source that the go command has built into the program.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var rev, dirty string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			rev = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if rev == "" {
		return ""
	}
	return rev + dirty
}
