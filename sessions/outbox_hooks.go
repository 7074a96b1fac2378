package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// restore implements part.
func (o *outbox) restore(ctx context.Context, v *Saved) error { return o.load(ctx, v.Outbox) }

// load makes the entries of the Store ready to be decided about at the next login. It runs
// before the owner, and may wait.
func (o *outbox) load(ctx context.Context, list []*OutboxEntry) error {
	for _, e := range list {
		r, err := o.store.Message(ctx, o.id, e.ID)
		switch {
		case perch.KindOf(err) == perch.KindNotFound:
			r = &perch.MessageRecord{ID: e.ID, To: e.To, Status: perch.StatusAccepted}
			if e.Kind != perch.GroupchatMessage && e.Relation == nil {
				r.Ref = ownRef(e.ID)
			}
		case err != nil:
			return err
		}
		o.entries = append(o.entries, &outEntry{OutboxEntry: *e, record: r, carried: e.Sent})
		o.seq = max(o.seq, e.Seq)
	}
	return nil
}

// apply implements part.
func (o *outbox) apply(in perch.Inbound, _ *link) bool {
	switch in := in.(type) {
	case *perch.AckIn:
		o.applyAck(in)
	case *perch.ReceiptIn:
		o.applyReceipt(in)
	case *perch.MessageError:
		o.applyMessageError(in)
	default:
		return false
	}
	return true
}

// online implements part.
func (o *outbox) online(bool) { o.reconcile(o.host.stream().login.Resumed) }

// offline implements part: what was asked on the link is not answered.
func (o *outbox) offline(*link) { o.asking = false }

func (*outbox) stop() {}
