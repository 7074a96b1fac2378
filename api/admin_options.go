package api

import (
	"log/slog"
	"net/http"

	"github.com/perch-im/perch"
)

// AdminOptions are for the operator's API at /admin/v1. The zero value answers clients of loopback
// alone, without what its fields are for.
type AdminOptions struct {
	// Token lets operators in, from wherever they reach the listener; the same on all nodes. Zero:
	// only clients of loopback are let in.
	Token perch.Secret
	// Name is what this node is called while it is alone; nil: "perch". It is not called before the
	// first request.
	Name func() string
	// Labels are what operators call this node; nil: nothing.
	Labels func() map[string]string
	// Upstreams reports the logins of each upstream on this node; nil: it knows none.
	Upstreams func() []UpstreamReport
	// Level is the least level that this node logs; nil: it cannot be read or changed.
	Level *slog.LevelVar
	// Drain begins to hand the sessions and streams of this node over, and Resume ends that; neither
	// waits for the drain. nil: it cannot be asked for.
	Drain  func()
	Resume func()
	// Pages is the operator's page; nil: there is none.
	Pages http.Handler
	// OpenAPI describes /admin/v1; nil: nothing does.
	OpenAPI []byte
}

// UpstreamReport is what a node knows of the logins at one upstream since it started.
type UpstreamReport struct {
	Name     string            `json:"name"`
	Domain   string            `json:"domain"`
	Profile  string            `json:"profile"`
	SignIns  int64             `json:"sign_ins"`
	Running  int               `json:"logins_running"` // now
	Waiting  int               `json:"logins_waiting"` // for their turn, by the limits
	Resumes  int64             `json:"resumes"`        // streams that were resumed (XEP-0198)
	Failures []CauseCount      `json:"failures"`       // of logins, by cause; those that were
	Labels   map[string]string `json:"labels"`         // what operators call the upstream
	Limits   UpstreamLimits    `json:"limits"`
	Tokens   UpstreamTokens    `json:"tokens"`
	// LastFailure is the last login that failed; null: none did.
	LastFailure *LoginFailure `json:"last_failure"`
	// Logins says how long the last logins took that succeeded, at most 100 of each node.
	Logins LoginTimes `json:"login_time"`
} // @name UpstreamReport

// UpstreamTokens say which access tokens go to an upstream.
type UpstreamTokens struct {
	Taken   bool   `json:"taken"`   // clients may send its access tokens as their bearer
	Prefix  string `json:"prefix"`  // what they begin with; "": they have none, and the client names the upstream
	Default bool   `json:"default"` // tokens without a known prefix go to it, where the client names no upstream
} // @name UpstreamTokens

// UpstreamLimits are the limits and the idle policy of an upstream, on each node, as they are in effect: its
// own, or those of all upstreams.
type UpstreamLimits struct {
	MaxSessions        int     `json:"max_sessions"`         // 0: none but that of the node
	SessionsPerAccount int     `json:"sessions_per_account"` // 0: none
	AccountRate        float64 `json:"account_rate"`         // refused credentials of one account a minute
	Logins             int     `json:"logins"`               // under way at once
	LoginRate          float64 `json:"login_rate"`           // that begin in a second; 0: no limit
	Idle               string  `json:"idle"`                 // keep, away or sign-out: what happens to a session without an event stream
	IdleAfter          int64   `json:"idle_after_ms"`        // when; 0: never
} // @name UpstreamLimits

// CauseCount says how often logins failed for a cause.
type CauseCount struct {
	Cause perch.Cause `json:"cause"`
	Count int64       `json:"count"`
} // @name CauseCount

// LoginFailure is a login that failed. It names no account.
type LoginFailure struct {
	Cause  perch.Cause `json:"cause"`
	At     perch.Time  `json:"at"`
	Node   string      `json:"node"`
	Target string      `json:"target"` // what was dialled
	Error  string      `json:"error"`
	Advice string      `json:"advice"`
} // @name LoginFailure

// LoginTimes are durations of logins in milliseconds.
type LoginTimes struct {
	Count int   `json:"count"`
	Mean  int64 `json:"mean_ms"`
	Max   int64 `json:"max_ms"`
} // @name LoginTimes

// add joins the durations of another node.
func (t *LoginTimes) add(o LoginTimes) {
	if n := t.Count + o.Count; n > 0 {
		t.Mean = (t.Mean*int64(t.Count) + o.Mean*int64(o.Count)) / int64(n)
		t.Count = n
	}
	t.Max = max(t.Max, o.Max)
}

// self is what operators call this node.
func (a *API) self() string {
	if id := a.o.Sessions.Self().ID; id != "" {
		return string(id)
	}
	if a.o.Admin.Name != nil {
		return a.o.Admin.Name()
	}
	return "perch"
}
