package api

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/perch-im/perch"
)

// adminUpstream is an upstream: what all nodes that answer know of it, together.
type adminUpstream struct {
	UpstreamReport
	Sessions map[perch.State]int `json:"sessions"` // by state
} // @name AdminUpstream

// adminUpstreams are all of them, sorted by name.
type adminUpstreams struct {
	Items       []adminUpstream   `json:"items"`
	Unreachable []UnreachableNode `json:"unreachable"` // nodes that are not in the numbers
} // @name AdminUpstreams

// handleAdminUpstreams lists the upstreams.
//
//	@ID				listUpstreams
//	@Summary		Upstreams of all nodes
//	@Description	Sessions, logins, their failures by cause and how long they take, since each node started. The labels and limits are those of the node that was asked.
//	@Tags			admin
//	@Produce		json
//	@Success		200	{object}	adminUpstreams
//	@Router			/admin/v1/upstreams [get]
//	@Security		AdminToken
func (a *API) handleAdminUpstreams(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	list := adminUpstreams{Items: a.upstreamsHere()}
	list.Unreachable = gather(a, r, peerQuestion{method: http.MethodGet, path: adminRoot + "upstreams"}, func(o adminUpstreams) {
		for _, u := range o.Items {
			list.add(u)
		}
	})
	slices.SortFunc(list.Items, func(x, y adminUpstream) int { return cmp.Compare(x.Name, y.Name) })
	return writeJSON(w, http.StatusOK, list)
}

func (a *API) upstreamsHere() []adminUpstream {
	list := []adminUpstream{}
	if a.o.Admin.Upstreams == nil {
		return list
	}
	states := a.o.Sessions.StatesOf()
	for _, u := range a.o.Admin.Upstreams() {
		if u.Failures == nil {
			u.Failures = []CauseCount{}
		}
		if u.LastFailure != nil {
			u.LastFailure.Node = a.self()
		}
		u.Labels = orNone(u.Labels)
		row := adminUpstream{u, map[perch.State]int{}}
		for state, n := range states[u.Name] {
			if n > 0 {
				row.Sessions[state] = n
			}
		}
		list = append(list, row)
	}
	return list
}

// add joins what another node knows of an upstream.
func (l *adminUpstreams) add(o adminUpstream) {
	i := slices.IndexFunc(l.Items, func(u adminUpstream) bool { return u.Name == o.Name })
	if i < 0 {
		o.Labels = orNone(o.Labels)
		l.Items = append(l.Items, o)
		return
	}
	u := &l.Items[i]
	u.SignIns, u.Resumes = u.SignIns+o.SignIns, u.Resumes+o.Resumes
	u.Running, u.Waiting = u.Running+o.Running, u.Waiting+o.Waiting
	for state, n := range o.Sessions {
		u.Sessions[state] += n
	}
	for _, f := range o.Failures {
		j := slices.IndexFunc(u.Failures, func(c CauseCount) bool { return c.Cause == f.Cause })
		if j < 0 {
			u.Failures = append(u.Failures, f)
		} else {
			u.Failures[j].Count += f.Count
		}
	}
	slices.SortFunc(u.Failures, func(x, y CauseCount) int { return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Cause, y.Cause)) })
	if o.LastFailure != nil && (u.LastFailure == nil || o.LastFailure.At > u.LastFailure.At) {
		u.LastFailure = o.LastFailure
	}
	u.Logins.add(o.Logins)
}
