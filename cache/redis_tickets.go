package cache

import (
	"context"
	"errors"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// ticketRow is a Ticket in Redis, with the name that it was stored under.
type ticketRow struct {
	Hash   string          `json:"hash"`
	Ticket sessions.Ticket `json:"ticket"`
	// Restricted is the session of a ticket that may not do everything, in place of the one in Ticket:
	// older nodes, which would let it do everything, do not know it.
	Restricted sessions.ID `json:"restricted,omitempty"`
}

var errNoTicket error = perch.Errorf(perch.KindNotFound, "this ticket is not known, or no longer good")

// PutTicket implements sessions.Store. The life of the key is the ticket's: only the clock of
// Redis counts. What has no life is not stored.
func (r *Redis) PutTicket(ctx context.Context, hash string, t sessions.Ticket, life time.Duration) error {
	stored := ticketRow{Hash: hash, Ticket: t}
	if t.Restricted {
		stored.Restricted, stored.Ticket.Session = t.Session, ""
	}
	row, err := encode(stored)
	if err != nil {
		return err
	}
	return r.change(ctx, "ticket", func(ctx context.Context) error {
		if life.Milliseconds() <= 0 {
			return r.client.Unlink(ctx, r.keys.ticket(hash)).Err()
		}
		return r.client.Set(ctx, r.keys.ticket(hash), row, life).Err()
	})
}

// TakeTicket implements sessions.Store. When the answer of Redis is lost, so is the ticket:
// it is good for one use at the most.
func (r *Redis) TakeTicket(ctx context.Context, hash string) (sessions.Ticket, error) {
	s, err := r.get(ctx, "ticket", func(ctx context.Context) (string, error) {
		return r.client.GetDel(ctx, r.keys.ticket(hash)).Result()
	}, errNoTicket)
	if err != nil {
		return sessions.Ticket{}, err
	}
	row, err := decode[ticketRow](s)
	if err != nil {
		return sessions.Ticket{}, err
	}
	if row.Restricted != "" {
		row.Ticket.Session, row.Ticket.Restricted = row.Restricted, true
	}
	if row.Hash != hash || row.Ticket.Session == "" {
		return sessions.Ticket{}, corrupt(errors.New("a ticket of another name"))
	}
	return row.Ticket, nil
}
