package sessions

import (
	"slices"
	"sync"
)

// inboxSize is how many deliveries of a reader wait for the owner. With more, the reader waits.
const inboxSize = 8

// workQueue is what waits for the owner. What is posted has no bound because what posts must not
// wait; each poster has at most one in it. It needs no memory while it is empty.
type workQueue struct {
	mu     sync.Mutex
	closed bool
	tasks  []task
	inbox  []delivery
	room   chan struct{} // closed when the inbox has room again; nil: no reader waits for that
}

// task is something that the owner is to run.
type task struct {
	f    func()
	call *pendingCall // nil: no caller waits
}

// pendingCall is a task that a caller waits for.
type pendingCall struct {
	done chan struct{} // closed when the task has run, or never will
	err  error         // why it did not run; set before done is closed
}

// add queues a task, and reports false when the queue is closed.
func (q *workQueue) add(t task) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.tasks = append(q.tasks, t)
	}
	return !q.closed
}

// withdraw takes a call back, and reports false when the owner has it already.
func (q *workQueue) withdraw(c *pendingCall) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.tasks, func(t task) bool { return t.call == c })
	if i >= 0 {
		q.tasks = slices.Delete(q.tasks, i, i+1)
	}
	return i >= 0
}

// next takes the oldest task.
func (q *workQueue) next() (t task, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.tasks) == 0 {
		return task{}, false
	}
	t = q.tasks[0]
	q.tasks[0] = task{}
	if q.tasks = q.tasks[1:]; len(q.tasks) == 0 {
		q.tasks = nil
	}
	return t, true
}

// offer queues a delivery. If there is no room it returns what is closed when there is.
func (q *workQueue) offer(d delivery) (wait <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.inbox) < inboxSize {
		q.inbox = append(q.inbox, d)
		return nil
	}
	if q.room == nil {
		q.room = make(chan struct{})
	}
	return q.room
}

// receive takes the oldest delivery.
func (q *workQueue) receive() (d delivery, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.inbox) == 0 {
		return delivery{}, false
	}
	d = q.inbox[0]
	q.inbox[0] = delivery{}
	if q.inbox = q.inbox[1:]; len(q.inbox) == 0 {
		q.inbox = nil
	}
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
	return d, true
}

// close refuses what comes from now on, and fails the calls that wait.
func (q *workQueue) close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, t := range q.tasks {
		if t.call != nil {
			t.call.err = err
			close(t.call.done)
		}
	}
	q.tasks, q.inbox = nil, nil
}
