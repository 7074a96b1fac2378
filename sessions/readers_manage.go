package sessions

import (
	"context"
	"time"

	"github.com/perch-im/perch"
)

// readerServices are what a node has for the readers of its sessions.
type readerServices struct {
	senders    map[perch.ReaderKind]Sender
	dispatcher *dispatcher
}

func newReaderServices(o Options) readerServices {
	s := readerServices{senders: map[perch.ReaderKind]Sender{}, dispatcher: newDispatcher()}
	for kind, sender := range map[perch.ReaderKind]Sender{perch.WebhookReader: o.Webhooks, perch.PushReader: o.Push} {
		if sender != nil {
			s.senders[kind] = sender
		}
	}
	return s
}

// NewReader is the reader that a client asks for.
type NewReader struct {
	Kind   perch.ReaderKind
	ID     string
	Target perch.ReaderTarget
	Spec   perch.ReaderSpec
	Rotate bool // of a webhook: its calls are signed with a new secret, and for a while with that of before, too
}

var (
	errNoSuchReader error = perch.Errorf(perch.KindNotFound, "there is no webhook or push subscription with this id that this token may see")
	errOtherReader  error = perch.Errorf(perch.KindForbidden, "this id is taken by one that is for more conversations than this token may see")
	errTooMany      error = perch.Errorf(perch.KindQuotaExceeded, "the session has as many as it may have (%d webhooks, %d push subscriptions): delete one first", MaxWebhooks, MaxPush)
)

// sender is who brings parts of logs to readers of a kind. KindFeatureUnsupported: nobody.
func (s *readerServices) sender(kind perch.ReaderKind) (Sender, error) {
	if sender := s.senders[kind]; sender != nil {
		return sender, nil
	}
	return nil, perch.Errorf(perch.KindFeatureUnsupported, "this gateway has no readers of the kind %s", kind)
}

// Readers lists the readers of a kind that a session has, without those that are for conversations which
// the token that asks may not see.
func (m *Manager) Readers(ctx context.Context, by Access, kind perch.ReaderKind) ([]perch.Reader, error) {
	if _, err := m.sender(kind); err != nil {
		return nil, err
	}
	list := []perch.Reader{}
	err := by.Session.call(ctx, func() {
		if x := by.Session.readers; x != nil {
			for _, r := range x.list {
				if r.row.Kind == kind && r.visible(by) {
					list = append(list, r.shown())
				}
			}
		}
	})
	return list, err
}

// PutReader makes a reader, whose cursor is at the end of the log, or puts one anew: that keeps its cursor and
// its secret, and enables it. It sees no more than the token does that puts it, and ends with that. The
// secret is that of a webhook which is made, or whose secret is rotated. KindQuotaExceeded: there are too many.
func (m *Manager) PutReader(ctx context.Context, by Access, n NewReader) (made perch.Reader, secret perch.Secret, created bool, err error) {
	sender, err := m.sender(n.Kind)
	if err == nil {
		err = sender.Check(n.Target, n.Spec)
	}
	if err != nil {
		return made, secret, false, err
	}
	s := by.Session
	err = s.callErr(ctx, func() (err error) {
		switch {
		case s.over():
			return errDraining
		case m.accessEnded(by):
			return errUnknownToken
		}
		made, secret, created, err = useReaders(s).set(by, n)
		return err
	})
	if err == nil {
		err = awaitCommit(ctx, s.call, &s.log)
	}
	return made, secret, created, err
}

// DeleteReader ends a reader. KindNotFound: there is none.
func (m *Manager) DeleteReader(ctx context.Context, by Access, kind perch.ReaderKind, id string) error {
	if _, err := m.sender(kind); err != nil {
		return err
	}
	s := by.Session
	err := s.callErr(ctx, func() error {
		r, err := s.readers.seen(by, kind, id)
		if err == nil {
			s.readers.remove(r)
		}
		return err
	})
	if err == nil {
		err = awaitCommit(ctx, s.call, &s.log)
	}
	return err
}

// ReplayReader moves the cursor of a webhook back, to a position of the log: what follows it is delivered,
// again and under other IDs. A position that the log does not reach back to any more begins with a Reset.
func (m *Manager) ReplayReader(ctx context.Context, by Access, id, since string) (again perch.Reader, err error) {
	if _, err := m.sender(perch.WebhookReader); err != nil {
		return again, err
	}
	s := by.Session
	err = s.callErr(ctx, func() error {
		r, err := s.readers.seen(by, perch.WebhookReader, id)
		if err != nil {
			return err
		}
		to, err := perch.ParsePosition(since)
		if err != nil || to.Epoch != s.log.epoch || to.Offset > s.log.published {
			return perch.Invalid("/since", "is no cursor of the log of this session")
		}
		s.readers.replay(r, to.Offset)
		again = r.shown()
		return nil
	})
	if err == nil {
		err = awaitCommit(ctx, s.call, &s.log)
	}
	return again, err
}

// TestReader makes one attempt at a delivery without events, and waits for it. What comes of it changes
// nothing.
func (m *Manager) TestReader(ctx context.Context, by Access, kind perch.ReaderKind, id string) (perch.ReaderAttempt, error) {
	sender, err := m.sender(kind)
	if err != nil {
		return perch.ReaderAttempt{}, err
	}
	s, d := by.Session, Delivery{}
	if err := s.callErr(ctx, func() (err error) {
		r, err := s.readers.seen(by, kind, id)
		if err != nil {
			return err
		}
		d = Delivery{
			ID: "test_" + m.messageID(s.id, ""), Reader: r.shown(), Secrets: r.secrets.valid(s.now()), Account: s.state.ownJID().Bare(),
			Cursor: perch.Position{Epoch: r.row.Cursor.Epoch, Offset: r.at}, Test: true,
		}
		return nil
	}); err != nil {
		return perch.ReaderAttempt{}, err
	}
	return m.tryOut(ctx, s, sender, d)
}

// tryOut makes one attempt at a delivery when it is its turn, and waits for it.
func (m *Manager) tryOut(ctx context.Context, s *Session, sender Sender, d Delivery) (perch.ReaderAttempt, error) {
	waiting, cancel := context.WithTimeout(s.life(), sendTime)
	defer cancel()
	done := make(chan Outcome, 1)
	t, ok := m.dispatcher.enqueue(s.id, hostOf(d.Reader.Target.URL), func() {
		out := attempt(waiting, sender, d, s.report.readerPanicked)
		m.o.Observer.Delivered(d.Reader.Kind, out.result())
		done <- out
	})
	if !ok {
		return perch.ReaderAttempt{}, errDraining
	}
	select {
	case out := <-done:
		return out.attempt(timeNow()), nil
	case <-waiting.Done():
		if t.withdraw() {
			return perch.ReaderAttempt{}, errBusyReaders
		}
		return (<-done).attempt(timeNow()), nil
	case <-ctx.Done():
		cancel()
		if !t.withdraw() {
			<-done
		}
		return perch.ReaderAttempt{}, ctx.Err()
	}
}

var errBusyReaders error = &perch.Error{Kind: perch.KindQuotaExceeded, RetryAfter: 10 * time.Second, Detail: "too many deliveries are under way just now"}

// accessEnded reports whether the token of an access has ended since it was found.
func (m *Manager) accessEnded(a Access) bool { return a.minted && m.ended(a.key, a.Session) }

// tokenIDs implements readerTokens.
func (m *Manager) tokenIDs(ctx context.Context, id ID) (map[string]bool, error) {
	all, err := m.o.Store.BindingsOf(ctx, id)
	if err != nil {
		return nil, storeError(err)
	}
	ids := map[string]bool{}
	for token, b := range all {
		if key, ok := digestOf(token); ok && b.Minted && !b.Replaced && !b.expired() {
			ids[idOfToken(key, b.Token)] = true
		}
	}
	return ids, nil
}
