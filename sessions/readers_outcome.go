package sessions

import (
	"math/rand/v2"
	"time"

	"github.com/perch-im/perch"
)

// When a delivery is tried again, and when no more.
const (
	firstRetry    = time.Second // doubled after each failure, with full jitter
	lastRetry     = 10 * time.Minute
	maxRetryAfter = time.Hour // that a receiver can ask for
	failingFor    = perch.Time(24 * time.Hour / time.Millisecond)
	maxRefusals   = 3 // in a row
)

// Arguments of Observer.Delivered.
const (
	DeliveryDone    = "delivered"
	DeliveryFailed  = "failed"
	DeliveryGone    = "gone"
	DeliveryRefused = "refused" // its address may not be dialled
)

// DeliveryResults are all of them.
var DeliveryResults = []string{DeliveryDone, DeliveryFailed, DeliveryGone, DeliveryRefused}

// result is the word that an outcome is counted under.
func (o Outcome) result() string {
	switch {
	case o.Err == nil:
		return DeliveryDone
	case o.Gone:
		return DeliveryGone
	case o.Refused:
		return DeliveryRefused
	}
	return DeliveryFailed
}

// attempt is how an outcome is shown.
func (o Outcome) attempt(at perch.Time) perch.ReaderAttempt {
	a := perch.ReaderAttempt{At: at, Status: o.Status}
	if o.Err != nil {
		a.Error = o.Err.Error()
	}
	return a
}

// succeeded moves the cursor behind what has arrived.
func (r *reader) succeeded(to uint64, last perch.ReaderAttempt) {
	r.at, r.row.Sending, r.row.Reset = to, 0, ""
	r.row.Last = last
	r.forgive()
}

// forgive forgets failures.
func (r *reader) forgive() { r.row.Failures, r.row.Refusals, r.row.Since, r.row.Next = 0, 0, 0, 0 }

// failed notes a delivery that has not arrived, and plans the next attempt, or gives the reader up.
func (x *readerList) failed(r *reader, out Outcome) {
	now := x.host.now()
	row := &r.row
	row.Failures++
	if row.Since == 0 {
		row.Since = now
	}
	if row.Refusals++; !out.Refused {
		row.Refusals = 0
	}
	row.Last = out.attempt(now)
	switch {
	case out.Gone && row.Kind == perch.PushReader: // the browser has unsubscribed: that is no fault
		x.remove(r)
		x.host.readerEnded(row.Kind, row.ID, perch.ReaderGone)
		return
	case out.Gone:
		x.disable(r, perch.ReaderGone)
	case row.Refusals >= maxRefusals:
		x.disable(r, perch.ReaderPolicy)
	case now-row.Since >= failingFor:
		x.disable(r, perch.ReaderFailing)
	default:
		row.Next = perch.At(now.Time().Add(nextAttempt(row.Failures, out.RetryAfter)))
	}
	x.put(r) // the end of the turn plans the next one
}

// nextAttempt is how long after so many failures the next attempt is made.
func nextAttempt(failures int, asked time.Duration) time.Duration {
	most := min(firstRetry<<min(failures-1, 20), lastRetry)
	return max(rand.N(most), min(asked, maxRetryAfter))
}

// disable gives a reader up, until its client puts it anew.
func (x *readerList) disable(r *reader, why string) {
	stop(r.retry)
	r.row.Disabled, r.row.Next = why, 0
	x.put(r)
	x.host.readerEnded(r.row.Kind, r.row.ID, why)
	if r.row.Kind == perch.WebhookReader {
		x.journal.Durable(perch.EventWebhookDisabled, perch.ReaderEnd{ID: r.row.ID, Reason: why})
	}
}
