package webpush

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/callout"
	"github.com/perch-im/perch/sessions"
)

// Options of a Sender.
type Options struct {
	Contact string         // whom push services find, see CheckContact; DefaultContact
	Allow   []netip.Prefix // networks of push services besides the public ones, also without TLS
	Roots   *x509.CertPool // who may have signed the certificates of push services; nil: those of the system
}

// Sender is a sessions.Sender of push messages. It is safe for concurrent use.
type Sender struct {
	key     func() *Key
	current atomic.Pointer[setting]
}

type setting struct {
	contact string
	client  *callout.Client
}

// NewSender makes a sender that signs with what key returns; nil: there is none just now.
func NewSender(key func() *Key, o Options) *Sender {
	s := &Sender{key: key}
	s.Reconfigure(o)
	return s
}

// Reconfigure brings other options into effect. What is under way is finished as it was begun.
func (s *Sender) Reconfigure(o Options) {
	if o.Contact == "" {
		o.Contact = DefaultContact
	}
	next := &setting{o.Contact, callout.New(callout.Options{Allow: o.Allow, Roots: o.Roots})}
	if was := s.current.Swap(next); was != nil {
		was.client.Close()
	}
}

// Close closes the connections that no message uses.
func (s *Sender) Close() { s.current.Load().client.Close() }

// Check implements sessions.Sender.
func (s *Sender) Check(t perch.ReaderTarget, _ perch.ReaderSpec) error {
	if err := s.current.Load().client.Check(t.URL); err != nil {
		return perch.Invalid("/endpoint", "%s", err)
	}
	_, err := newSubscription(t)
	return err
}

// atOnce is how many messages of a delivery are on their way together.
const atOnce = 8

// Send implements sessions.Sender: one message for each conversation. When one of them is not taken, the
// delivery comes again as a whole: at the push service, and on the device, a newer message of a
// conversation takes the place of an older one.
func (s *Sender) Send(ctx context.Context, d sessions.Delivery) sessions.Outcome {
	to, err := newSubscription(d.Reader.Target)
	if err != nil {
		return sessions.Outcome{Err: errors.New("the keys of the subscription cannot be used"), Gone: true}
	}
	key := s.key()
	if key == nil {
		return sessions.Outcome{Err: errors.New("this gateway has no VAPID key just now")}
	}
	x := attempt{setting: s.current.Load(), key: key, to: to, endpoint: d.Reader.Target.URL}
	list := payloads(ctx, d)
	out := make([]sessions.Outcome, len(list))
	places := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, p := range list {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			out[i] = x.send(ctx, p)
		})
	}
	all.Wait()
	return worst(out)
}

// worst is the outcome of a delivery whose messages ended so: the first failure, and before it one after which
// there is nothing to be tried again.
func worst(list []sessions.Outcome) (found sessions.Outcome) {
	for _, o := range list {
		switch {
		case o.Gone:
			return o
		case found.Err == nil:
			found = o
		}
	}
	return found
}

// attempt is what the messages of one delivery have alike.
type attempt struct {
	*setting
	key      *Key
	to       subscription
	endpoint string
}

// send makes one attempt at one message; a push service that takes no more than a part of it gets the ids alone.
func (x attempt) send(ctx context.Context, p *payload) sessions.Outcome {
	o := x.post(ctx, p)
	if o.Status == http.StatusRequestEntityTooLarge {
		o = x.post(ctx, p.idsOnly())
	}
	return o
}

func (x attempt) post(ctx context.Context, p *payload) sessions.Outcome {
	body, err := encrypt(p.encode(), x.to)
	if err != nil {
		return sessions.Outcome{Err: errors.New("the message could not be encrypted")}
	}
	auth, err := x.key.authorization(x.endpoint, x.contact, time.Now())
	if err != nil {
		return sessions.Outcome{Err: errors.New("the message could not be signed")}
	}
	head := http.Header{
		"Authorization":    {auth},
		"Content-Encoding": {"aes128gcm"},
		"Content-Type":     {"application/octet-stream"},
		"Ttl":              {strconv.Itoa(int(p.life() / time.Second))},
		"Urgency":          {p.urgency()},
		"Topic":            {x.to.topic(p.key)},
	}
	return outcomeOf(x.client.Post(ctx, x.endpoint, head, body))
}

// outcomeOf says what an answer of a push service means (RFC 8030, 5 and 8; RFC 8292, 4.2).
func outcomeOf(a callout.Answer) sessions.Outcome {
	o := sessions.Outcome{Status: a.Status, Err: a.Err, Refused: a.Refused, RetryAfter: a.RetryAfter}
	switch a.Status {
	case http.StatusNotFound, http.StatusGone:
		o.Gone, o.Err = true, errors.New("the subscription has ended")
	case http.StatusUnauthorized, http.StatusForbidden:
		o.Err = fmt.Errorf("the push service answered %d: the subscription may have been made with another application_server_key, subscribe again", a.Status)
	}
	return o
}

// How long push services keep a message for a device that is not reachable.
const (
	life      = 24 * time.Hour
	shortLife = 5 * time.Minute // of what is of no use later
)

func (p *payload) life() time.Duration {
	if p.Type == typeTest || p.Type == string(perch.EventSessionState) {
		return shortLife
	}
	return life
}

// urgency wakes a device that saves power for messages of people alone (RFC 8030, 5.3).
func (p *payload) urgency() string {
	if p.urgent {
		return "high"
	}
	return "normal"
}
