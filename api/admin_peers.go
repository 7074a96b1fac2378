package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

const (
	askTime   = 3 * time.Second  // that a node may take to answer what it knows
	actTime   = 15 * time.Second // that it may take to do something
	askAtOnce = 16               // nodes that are asked at once for one request
	askBytes  = 1 << 20          // that the answer of one node may have
)

// UnreachableNode is a node that has not answered, so that what it knows is missing.
type UnreachableNode struct {
	Node   string `json:"node"`
	Detail string `json:"detail"`
} // @name UnreachableNode

// peerAnswer is what one peer has answered, or why it has not.
type peerAnswer struct {
	node   sessions.Member
	status int
	body   []byte
	err    error
}

// unreachable describes a peer that has not answered.
func (p *peerAnswer) unreachable() UnreachableNode {
	return UnreachableNode{Node: string(p.node.ID), Detail: p.err.Error()}
}

// peerQuestion is a request to peers; its path is below /admin/v1/.
type peerQuestion struct {
	method string
	path   string // escaped
	query  url.Values
	body   []byte
}

// askPeers asks all other nodes the same, some at once, and returns when all have answered or had
// their time. One that is taken for dead is not asked, and is in the answers.
func (a *API) askPeers(r *http.Request, q peerQuestion) []peerAnswer {
	peers := a.o.Sessions.Peers()
	answers, turn := make([]peerAnswer, len(peers)), make(chan struct{}, askAtOnce)
	var wg sync.WaitGroup
	for i, p := range peers {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			answers[i] = a.askPeer(r, p, q, askTime)
		})
	}
	wg.Wait()
	return answers
}

// askPeer asks one node.
func (a *API) askPeer(r *http.Request, p sessions.Member, q peerQuestion, within time.Duration) (answer peerAnswer) {
	answer.node = p
	if p.Age > 0 {
		answer.err = fmt.Errorf("it was silent for %v and is taken for dead: the other nodes take its sessions over", p.Age.Round(time.Second))
		return answer
	}
	ctx, cancel := context.WithTimeout(r.Context(), within)
	defer cancel()
	res, err := a.sendToPeer(ctx, r, p.Node, q)
	if err != nil {
		a.log.DebugContext(r.Context(), "peer did not answer an operator", "node", p.ID, "error", err)
		answer.err = plainPeerError(err, within)
		return answer
	}
	defer res.Body.Close()
	answer.status = res.StatusCode
	answer.body, err = io.ReadAll(io.LimitReader(res.Body, askBytes+1))
	switch {
	case err != nil:
		answer.err = plainPeerError(err, within)
	case len(answer.body) > askBytes:
		answer.err = errLongAnswer
	case res.Header.Get(hopHeader) == hopRefused:
		answer.err = errors.New("it does not trust this node: check PERCH_SECRET and the clocks of both")
	case res.StatusCode == http.StatusNotFound && res.Header.Get(adminHeader) == "":
		answer.err = errors.New("its version of Perch has no admin API")
	}
	return answer
}

// errLongAnswer is for an answer that is not read to its end: half of it would be no answer.
var errLongAnswer = fmt.Errorf("its answer has more than %d bytes: ask for fewer at once (limit)", askBytes)

// adminHeader marks the answers of the operator's API, so that a 404 of an older node is none.
const adminHeader = "Perch-Admin"

func (a *API) sendToPeer(ctx context.Context, r *http.Request, to sessions.Node, q peerQuestion) (*http.Response, error) {
	target := to.URL + q.path
	if len(q.query) > 0 {
		target += "?" + q.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, q.method, target, bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	if len(q.body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	id := requestID(r.Context())
	req.Header.Set("X-Request-Id", id)
	req.Header.Set(hopHeader, a.seal(a.operatorHop(r, q.body), to.ID, q.method, req.URL.RequestURI(), id))
	return a.peers.roundTripper.RoundTrip(req)
}

// plainPeerError says what an operator does about a peer that has not answered. The log of this node
// has the error itself.
func plainPeerError(err error, within time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("it has not answered within %v", within)
	}
	return errors.New("it cannot be reached: see whether it runs, and whether its --node-url leads there from this node")
}

// decoded reads the answer of a peer; a refusal is an error of its node.
func decoded[T any](p *peerAnswer) (v T, ok bool) {
	if p.err != nil {
		return v, false
	}
	if p.status != http.StatusOK && p.status != http.StatusAccepted {
		p.err = fmt.Errorf("it has refused the request with %d", p.status)
	} else if err := json.Unmarshal(p.body, &v); err != nil {
		p.err = errors.New("its answer is of another version of Perch")
	}
	return v, p.err == nil
}

// gather asks all nodes but this one, and hands on what each has answered.
func gather[T any](a *API, r *http.Request, q peerQuestion, take func(T)) []UnreachableNode {
	lost := []UnreachableNode{}
	if trusted(r.Context()) {
		return lost // a peer asks for what this node has
	}
	for _, p := range a.askPeers(r, q) {
		if v, ok := decoded[T](&p); ok {
			take(v)
		} else {
			lost = append(lost, p.unreachable())
		}
	}
	return lost
}

// peer finds another node by its id, or by its name alone.
func (a *API) peer(name string) (sessions.Member, bool) {
	for _, p := range a.o.Sessions.Peers() {
		if nodeNamed(string(p.ID), name) {
			return p, true
		}
	}
	return sessions.Member{}, false
}

// passOn has a node do what the request asks, and answers with its answer.
func (a *API) passOn(w http.ResponseWriter, r *http.Request, p sessions.Member, q peerQuestion) error {
	answer := a.askPeer(r, p, q, actTime)
	if answer.err != nil {
		return &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: time.Second, Err: answer.err,
			Detail: fmt.Sprintf("the node %s: %v", p.ID, answer.err)}
	}
	if answer.status >= http.StatusBadRequest {
		w.Header().Set("Content-Type", "application/problem+json")
	} else if len(answer.body) > 0 {
		w.Header()["Content-Type"] = mediaJSON
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body) // a client that has left needs no answer
	return nil
}
