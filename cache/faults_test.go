package cache_test

import (
	"context"
	"sync"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/sessions"
)

// endless never expires a message record.
type endless struct {
	sessions.Store
	kept sync.Map
}

func (s *endless) Commit(id sessions.ID, c *sessions.Commit, done func(sessions.Result)) {
	for _, m := range c.Messages {
		s.kept.Store(m.ID, m)
	}
	s.Store.Commit(id, c, done)
}

func (s *endless) Message(ctx context.Context, id sessions.ID, msg string) (*perch.MessageRecord, error) {
	if m, ok := s.kept.Load(msg); ok {
		return m.(*perch.MessageRecord), nil
	}
	return s.Store.Message(ctx, id, msg)
}

// reordered lets a commit that comes while another is on its way be overtaken once.
type reordered struct {
	sessions.Store
	mu   sync.Mutex
	away map[sessions.ID]int
	held map[sessions.ID]func()
}

func (s *reordered) Commit(id sessions.ID, c *sessions.Commit, done func(sessions.Result)) {
	s.mu.Lock()
	if s.away == nil {
		s.away, s.held = map[sessions.ID]int{}, map[sessions.ID]func(){}
	}
	send := func() {
		s.Store.Commit(id, c, func(r sessions.Result) {
			done(r)
			s.mu.Lock()
			s.away[id]--
			held := s.held[id]
			delete(s.held, id)
			s.mu.Unlock()
			if held != nil {
				held()
			}
		})
	}
	s.away[id]++
	if s.away[id] > 1 && s.held[id] == nil {
		s.held[id] = send
		s.mu.Unlock()
		return
	}
	held := s.held[id]
	delete(s.held, id)
	s.mu.Unlock()
	send()
	if held != nil {
		held()
	}
}

// repeating has the first event of each page twice, as after an append that was repeated.
type repeating struct{ sessions.Store }

func (s *repeating) Log(ctx context.Context, id sessions.ID, after uint64, limit int) (sessions.LogPage, error) {
	p, err := s.Store.Log(ctx, id, after, limit)
	if len(p.Events) > 0 {
		p.Events = append(p.Events[:1:1], p.Events...)
	}
	return p, err
}

// inline answers before Commit returns.
type inline struct{ sessions.Store }

func (s *inline) Commit(id sessions.ID, c *sessions.Commit, done func(sessions.Result)) {
	ch := make(chan sessions.Result, 1)
	s.Store.Commit(id, c, func(r sessions.Result) { ch <- r })
	done(<-ch)
}

// half applies the vCards of a commit that is refused.
type half struct{ sessions.Store }

func (s *half) Commit(id sessions.ID, c *sessions.Commit, done func(sessions.Result)) {
	if !c.VCards.Empty() && len(c.Events) > 0 {
		s.Store.Commit(id, &sessions.Commit{Fence: c.Fence, VCards: c.VCards}, func(sessions.Result) {})
	}
	s.Store.Commit(id, c, done)
}

// blind leaves out contacts that are removed in a commit with others.
type blind struct{ sessions.Store }

func (s *blind) Commit(id sessions.ID, c *sessions.Commit, done func(sessions.Result)) {
	if !c.Contacts.Whole && len(c.Contacts.Keys) > 1 && c.Contacts.Table.Len() > 0 {
		some := *c
		some.Contacts = contacts.Change{}
		c = &some
	}
	s.Store.Commit(id, c, done)
}

// roomless leaves out the rooms that come in a commit with events.
type roomless struct{ sessions.Store }

func (s *roomless) Commit(id sessions.ID, c *sessions.Commit, done func(sessions.Result)) {
	if len(c.Events) > 0 {
		some := *c
		some.Rooms = sessions.Delta[sessions.StoredRoom]{}
		c = &some
	}
	s.Store.Commit(id, c, done)
}

// readerless leaves out the readers that come in a commit with events.
type readerless struct{ sessions.Store }

func (s *readerless) Commit(id sessions.ID, c *sessions.Commit, done func(sessions.Result)) {
	if len(c.Events) > 0 {
		some := *c
		some.Readers = sessions.Delta[sessions.StoredReader]{}
		c = &some
	}
	s.Store.Commit(id, c, done)
}

// greedy takes a session from any owner.
type greedy struct{ sessions.Store }

func (s *greedy) Open(ctx context.Context, id sessions.ID, t sessions.OpenOptions) (*sessions.Saved, error) {
	owners, err := s.Owners(ctx, []sessions.ID{id})
	if err != nil {
		return nil, err
	}
	t.TakeoverFrom = owners[id]
	return s.Store.Open(ctx, id, t)
}

// generous lets a token lead to whatever session wanted it last.
type generous struct{ sessions.Store }

func (s *generous) Bind(ctx context.Context, token string, b sessions.Binding) ([]string, error) {
	if err := s.Unbind(ctx, token); err != nil {
		return nil, err
	}
	return s.Store.Bind(ctx, token, b)
}
