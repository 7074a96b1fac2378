package sessions

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/perch-im/perch"
)

// reporter is what operators learn of one session, in log lines and counts, and what clients
// learn of what was left out of it. It belongs to the owner.
type reporter struct {
	log      *slog.Logger
	observer Observer
	journal  journal
	session  string // as logs call it
	upstream string

	warned perch.Time // when the client was last notified that something was left out
}

// acquired notes that this process owns the session from now on: one process for each pair of
// epoch and fence, which is what operators, and tests, can hold the log against. Node is "" for
// a process that is alone with its Store.
func (r *reporter) acquired(v *Saved, adopted bool, node NodeID) {
	how := OwnerTaken
	if adopted {
		how = OwnerAdopted
	}
	r.observer.Owner(how)
	if v.Stale {
		r.observer.Owner(OwnerStale)
		r.log.Warn("store may have lost the end of the session log, beginning a new log",
			"session", r.session, "last_event", v.StaleSince.String())
	}
	if node != "" {
		r.log.Info("session ownership acquired", "session", r.session, "epoch", v.Epoch, "fence", v.Fence, "node", node, "how", how, "audit", true)
	}
}

// lostOwnership says that another owner has the session.
func (r *reporter) lostOwnership() {
	r.observer.Owner(OwnerFenced)
	r.log.Info("session ownership lost", "session", r.session, "audit", true)
}

// unattendedEnd says that the idle policy signs the session out.
func (r *reporter) unattendedEnd() {
	r.log.Info("signed out: no client was attached", "session", r.session, "audit", true)
}

// recordMissing says that the Store has lost the record.
func (r *reporter) recordMissing() {
	r.log.Warn("session record missing in store, rebuilding", "session", r.session)
}

// deleteFailed says that the Store could not delete the session.
func (r *reporter) deleteFailed(err error) {
	r.log.Warn("failed to delete session from store", "session", r.session, "error", err)
}

// storeRejects says that the Store has begun to take no writes.
func (r *reporter) storeRejects(err error) {
	r.log.Warn("store rejects writes", "session", r.session, "error", err)
}

// rosterMissing says why the roster could not be fetched.
func (r *reporter) rosterMissing(reason string) {
	r.log.Warn("failed to fetch the roster", "session", r.session, "reason", reason)
}

// archiveMissing says why the archive could not be read.
func (r *reporter) archiveMissing(reason string) {
	r.log.Warn("failed to read the archive", "session", r.session, "reason", reason)
}

// reconnecting counts an attempt.
func (r *reporter) reconnecting(reason string) { r.observer.Reconnecting(r.upstream, reason) }

// dropped says that a stanza was not taken: by an event, and by a count.
func (r *reporter) dropped(d perch.Dropped) {
	r.observer.Dropped(d.Reason, 1)
	r.journal.Durable(perch.EventDropped, d)
}

// countDropped is dropped without the event.
func (r *reporter) countDropped(reason string, n int) { r.observer.Dropped(reason, n) }

// warnEvery is how often a client is notified that a budget is used up: an event for each thing
// that is left out would push everything else out of the log.
const warnEvery = perch.Time(time.Minute / time.Millisecond)

// overBudget counts something that found no room, and tells the client and the log now and then.
func (r *reporter) overBudget(budget string, from perch.JID) {
	now := perch.At(time.Now())
	if now < r.warned+warnEvery && r.warned != 0 {
		r.observer.Dropped(DroppedOverBudget, 1)
		return
	}
	r.warned = now
	r.log.Warn("session budget exhausted, leaving out the rest", "session", r.session, "budget", budget)
	r.dropped(perch.Dropped{Reason: DroppedOverBudget, From: from})
}

// guarded runs f, which applies one thing that arrived. One that we cannot cope with is skipped
// and reported: a server would send it again to every stream that follows.
func (r *reporter) guarded(f func()) {
	defer func() {
		if fault := recover(); fault != nil {
			r.log.Error("panic while applying stanza, dropped it", "session", r.session, "panic", fault, "stack", string(debug.Stack()))
			r.dropped(perch.Dropped{Reason: "malformed"})
		}
	}()
	f()
}

// crashed says that a message could not be written because of a fault of ours.
func (r *reporter) crashed(id string, fault any) {
	r.log.Error("panic while sending message, failed it", "session", r.session, "panic", fault, "stack", string(debug.Stack()))
	r.dropped(perch.Dropped{Reason: "quarantined", StanzaID: id})
}

// panicked says that the session ends because of a fault of ours.
func (r *reporter) panicked(fault any) {
	r.log.Error("session panicked, closing it", "session", r.session, "panic", fault, "stack", string(debug.Stack()))
}

// readerEnded says that nothing is brought to a reader any more.
func (r *reporter) readerEnded(kind perch.ReaderKind, id, why string) {
	r.log.Info("reader of the log ended", "session", r.session, "kind", kind, "reader", id, "reason", why, "audit", true)
}

// readerPanicked says that a delivery failed because of a fault of ours.
func (r *reporter) readerPanicked(fault any) {
	r.log.Error("panic while delivering to a reader, trying again", "session", r.session, "panic", fault, "stack", string(debug.Stack()))
}

// delivered counts an attempt at a delivery.
func (r *reporter) delivered(kind perch.ReaderKind, result string) {
	r.observer.Delivered(kind, result)
}

func (r *reporter) logDebug(msg string, args ...any) {
	if r.log.Enabled(context.Background(), slog.LevelDebug) {
		r.log.Debug(msg, append(args, "session", r.session)...) //nolint:sloglint // constant at every caller
	}
}
