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

	"github.com/perch-im/perch"
)

// healthAnswer is what /livez and /readyz say.
type healthAnswer struct {
	Status string `json:"status"` // ok, draining or not-ready
	Detail string `json:"detail,omitempty"`
} // @name Health

// versionAnswer is what /version says.
type versionAnswer struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of the source, with "+dirty" when it was changed
	Go       string `json:"go"`
} // @name Version

// readyTime bounds one look at the store: a probe must get its answer.
const readyTime = 2 * time.Second

// AdminHandler is everything that the operator's listener serves: health, version,
// metrics and pprof. It asks for no token, so that listener belongs on loopback or on a
// network of the operator's own.
func (a *API) AdminHandler() http.Handler {
	r := chi.NewRouter()
	r.Use(withRequestID, a.withRecover, withHeaders, a.withAdminHost)
	r.NotFound(a.handleNotFound)
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

// profileTime bounds a profile: it takes as long as its reader asks for.
const profileTime = 10 * time.Minute

func withProfileTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setDeadlines(w, profileTime, profileTime)
		next.ServeHTTP(w, r)
	})
}

// handleCommandLine stands in for the one of net/http/pprof, which shows every argument,
// secrets too. go tool pprof asks for it and wants no more than the program's name.
func handleCommandLine(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, os.Args[0])
	return nil
}

// withAdminHost refuses requests for names that are not of this listener: a page whose name
// an attacker lets point to this address (DNS rebinding) would else read metrics and
// profiles through the operator's browser. An address in the Host header is no name
// and passes; a name passes when it is local, or Options.AdminHosts has it.
func (a *API) withAdminHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.adminHost(r.Host) {
			a.writeProblem(w, r, perch.Errorf(perch.KindForbidden, "this listener does not answer for %s; see --admin-host", quoteShort(r.Host)))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *API) adminHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true // "" is HTTP/1.0, which no browser speaks
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return slices.ContainsFunc(a.o.AdminHosts, func(h string) bool { return strings.EqualFold(strings.TrimSuffix(h, "."), host) })
}

// handleLive reports that the process answers. It looks at nothing else: restarting a
// process because its store is away would end every session for nothing.
//
//	@Summary	Is the process alive
//	@Tags		admin
//	@Produce	json
//	@Success	200	{object}	healthAnswer
//	@Router		/livez [get]
func (a *API) handleLive(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, healthAnswer{Status: "ok"})
}

// handleReady reports whether new requests are welcome: not while draining, and not without
// a store. The XMPP state of one user never counts.
//
//	@Summary	Does this node take requests
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

// handleVersion reports what is running.
//
//	@Summary	What is running
//	@Tags		admin
//	@Produce	json
//	@Success	200	{object}	versionAnswer
//	@Router		/version [get]
func (a *API) handleVersion(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, versionAnswer{Version: a.o.Version, Revision: revision(), Go: runtime.Version()})
}

// revision reads what the go command has stamped into the program.
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
