package api

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/perch-im/perch"
)

// adminNode is a node as an operator sees it.
type adminNode struct {
	ID    string `json:"id"`   // its name, a slash, and a word of this process
	Name  string `json:"name"` // that of --node
	URL   string `json:"url"`  // where the other nodes reach it; "" when it is alone
	State string `json:"state"`
	// Detail says why the node does not answer; "" when it does. Then nothing below is known.
	Detail    string              `json:"detail"`
	Labels    map[string]string   `json:"labels"` // what operators call it
	Version   string              `json:"version"`
	Since     perch.Time          `json:"since"`       // of the start of the process
	Sessions  map[perch.State]int `json:"sessions"`    // that it owns, by state
	Owned     int                 `json:"owned"`       // all of them
	Limit     int                 `json:"owned_limit"` // --max-sessions; 0: no bound
	Streams   int                 `json:"streams"`     // open event streams, those of sessions of other nodes too
	ToRestore int                 `json:"to_restore"`
	BeatAge   int64               `json:"beat_age_ms"` // since it has renewed its lease
	Lease     int64               `json:"lease_ms"`    // 0: it is alone
} // @name AdminNode

// The states of a node.
const (
	nodeUp          = "up"
	nodeDraining    = "draining" // it takes no new sessions
	nodeUnreachable = "unreachable"
	nodeDead        = "dead" // silent for longer than its lease
)

// adminNodes are all nodes, the one that was asked first.
type adminNodes struct {
	Items []adminNode `json:"items"`
} // @name AdminNodes

// nodeOf is the name in the id of a node.
func nodeOf(id string) string {
	if i := strings.LastIndexByte(id, '/'); i >= 0 {
		return id[:i]
	}
	return id
}

// nodeNamed reports whether a node is meant by its id, or by its name.
func nodeNamed(id, text string) bool { return id == text || nodeOf(id) == text }

// thisNode describes this one.
func (a *API) thisNode() adminNode {
	m := a.o.Sessions
	_, beat := m.Nodes()
	n := adminNode{
		ID: a.self(), Name: nodeOf(a.self()), URL: m.Self().URL, State: nodeUp, Version: a.o.Version, Since: perch.At(a.made),
		Sessions: m.States(), Owned: m.Len(), Limit: m.MaxSessions(), ToRestore: m.Recovering(),
		BeatAge: beat.Milliseconds(), Lease: m.Lease().Milliseconds(),
	}
	if a.o.Admin.Labels != nil {
		n.Labels = a.o.Admin.Labels()
	}
	n.Labels = orNone(n.Labels)
	for _, count := range a.Streams() {
		n.Streams += count
	}
	if m.Draining() {
		n.State = nodeDraining
	}
	return n
}

// orNone is an empty table in place of none.
func orNone(labels map[string]string) map[string]string {
	if labels == nil {
		return map[string]string{}
	}
	return labels
}

// silentNode describes a peer that does not answer.
func silentNode(p peerAnswer) adminNode {
	n := adminNode{ID: string(p.node.ID), Name: nodeOf(string(p.node.ID)), URL: p.node.URL, State: nodeUnreachable, Detail: p.err.Error(), Sessions: map[perch.State]int{}, Labels: orNone(nil)}
	if p.node.Age > 0 {
		n.State, n.BeatAge = nodeDead, p.node.Age.Milliseconds()
	}
	return n
}

// handleAdminNodes lists the nodes.
//
//	@ID				listNodes
//	@Summary		All nodes
//	@Description	The node that was asked comes first. One that does not answer is in the list, as unreachable, or as dead when it was silent for longer than its lease; one that has ended by itself is not.
//	@Tags			admin
//	@Produce		json
//	@Success		200	{object}	adminNodes
//	@Router			/admin/v1/nodes [get]
//	@Security		AdminToken
func (a *API) handleAdminNodes(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	list := adminNodes{Items: []adminNode{a.thisNode()}}
	if !trusted(r.Context()) {
		for _, p := range a.askPeers(r, peerQuestion{method: http.MethodGet, path: adminRoot + "nodes"}) {
			if theirs, ok := decoded[adminNodes](&p); ok {
				for _, n := range theirs.Items {
					n.Labels = orNone(n.Labels) // a node of a version before has none
					list.Items = append(list.Items, n)
				}
			} else {
				list.Items = append(list.Items, silentNode(p))
			}
		}
	}
	return writeJSON(w, http.StatusOK, list)
}

// handleAdminDrain begins to drain a node.
//
//	@ID				drainNode
//	@Summary		Drain a node
//	@Description	The node takes no new sessions, is not ready any more, hands its sessions over to the others and tells their event streams to reconnect, spread over its --drain-time. It does not end; GET /admin/v1/nodes shows how far it is. Refused where no other node could take the sessions.
//	@Tags			admin
//	@Produce		json
//	@Param			id	path		string	true	"name or id of the node"
//	@Success		202	{object}	adminNode
//	@Failure		404	{object}	Problem
//	@Failure		409	{object}	Problem	"no other node takes sessions"
//	@Failure		503	{object}	Problem	"the node does not answer"
//	@Router			/admin/v1/nodes/{id}/drain [post]
//	@Security		AdminToken
func (a *API) handleAdminDrain(w http.ResponseWriter, r *http.Request) error {
	return a.onNode(w, r, func() error {
		if a.o.Admin.Drain == nil {
			return perch.Errorf(perch.KindFeatureUnsupported, "this node cannot be drained by a call: send it SIGTERM")
		}
		if !a.othersTakeSessions() {
			return perch.Errorf(perch.KindConflict, "no other node takes sessions, so that those of this one would have nowhere to go: start another node first; to stop this one, send it SIGTERM")
		}
		a.o.Admin.Drain()
		a.audit(r, auditDrained, "")
		return writeJSON(w, http.StatusAccepted, a.thisNode())
	})
}

// handleAdminResume ends the drain of a node.
//
//	@ID				resumeNode
//	@Summary		End the drain of a node
//	@Description	The node takes new sessions again, and is ready. What it has handed over stays where it is.
//	@Tags			admin
//	@Produce		json
//	@Param			id	path		string	true	"name or id of the node"
//	@Success		200	{object}	adminNode
//	@Failure		404	{object}	Problem
//	@Failure		503	{object}	Problem	"the node does not answer"
//	@Router			/admin/v1/nodes/{id}/drain [delete]
//	@Security		AdminToken
func (a *API) handleAdminResume(w http.ResponseWriter, r *http.Request) error {
	return a.onNode(w, r, func() error {
		if a.o.Admin.Resume == nil {
			return perch.Errorf(perch.KindFeatureUnsupported, "the drain of this node cannot be ended")
		}
		a.o.Admin.Resume()
		a.audit(r, auditResumed, "")
		return writeJSON(w, http.StatusOK, a.thisNode())
	})
}

// onNode does something on the node of the path.
func (a *API) onNode(w http.ResponseWriter, r *http.Request, here func() error) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	name, err := pathText(r, "id")
	if err != nil {
		return err
	}
	if nodeNamed(a.self(), name) {
		return here()
	}
	p, ok := a.peer(name)
	if !ok || trusted(r.Context()) {
		return perch.Errorf(perch.KindNotFound, "there is no node %s; GET /admin/v1/nodes lists those that there are", quoteShort(name))
	}
	path := adminRoot + "nodes/" + url.PathEscape(string(p.ID)) + "/drain"
	return a.passOn(w, r, p, peerQuestion{method: r.Method, path: path})
}

// othersTakeSessions reports whether there is another node that is alive and does not drain.
func (a *API) othersTakeSessions() bool {
	for _, p := range a.o.Sessions.Peers() {
		if p.Age == 0 && !p.Away {
			return true
		}
	}
	return false
}
