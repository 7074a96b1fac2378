// Package webhook brings events of a session to a server of its owner: POST requests that are signed as
// Standard Webhooks 1.0.0 has it (https://www.standardwebhooks.com).
//
// What a request has follows from the delivery alone, so that a repeat, on whatever node, has the same
// webhook-id and the same body; only the time of the attempt, and with it the signature, is another one.
// When to send, and when to give up, is decided by package sessions.
package webhook

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/callout"
	"github.com/perch-im/perch/sessions"
)

// Options of a Sender.
type Options = callout.Options

// Sender is the [sessions.Sender] of webhooks. Make it with [New]; it is safe for concurrent use.
type Sender struct {
	client atomic.Pointer[callout.Client]
}

var _ sessions.Sender = (*Sender)(nil)

// New makes a sender. It does no I/O.
func New(o Options) *Sender {
	s := &Sender{}
	s.client.Store(callout.New(o))
	return s
}

// Reconfigure changes the options for what is sent from now on.
func (s *Sender) Reconfigure(o Options) { s.client.Swap(callout.New(o)).Close() }

// Close ends the connections that wait for the next request.
func (s *Sender) Close() { s.client.Load().Close() }

// Check refuses an address that can never be called, and a wish that no body has a form for.
func (s *Sender) Check(t perch.ReaderTarget, spec perch.ReaderSpec) error {
	if err := s.client.Load().Check(t.URL); err != nil {
		return perch.Invalid("/url", "%s", err)
	}
	if spec.Include != perch.IncludeFull && spec.Include != perch.IncludeIDs {
		return perch.Invalid("/include", "must be full or ids")
	}
	return nil
}

// errSecret is of a delivery that cannot be signed. It can only be a mistake of ours.
var errSecret = errors.New("the gateway has no secret to sign with: rotate it")

// Send makes one attempt.
func (s *Sender) Send(ctx context.Context, d sessions.Delivery) sessions.Outcome {
	now := time.Now()
	body := bodyOf(&d, now)
	signatures := sign(d.Secrets, d.ID, now, body)
	if len(signatures) == 0 {
		return sessions.Outcome{Err: errSecret}
	}
	header := http.Header{
		"Content-Type": {"application/json"},
		"User-Agent":   {"Perch"},
	}
	header.Set("Webhook-Id", d.ID)
	header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	header.Set("Webhook-Signature", strings.Join(signatures, " "))
	a := s.client.Load().Post(ctx, d.Reader.Target.URL, header, body)
	return sessions.Outcome{Status: a.Status, Err: a.Err, Gone: a.Status == http.StatusGone, Refused: a.Refused, RetryAfter: a.RetryAfter}
}
