package api

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// relay is a stream of another node that passes through this one. It is registered like a
// stream of our own, but for the quota of its session, which the owner counts: when this
// node drains, its client gets reconnect and is closed with 4200; and when the owner is
// lost, with 4201.
type relay struct {
	entry  *entry
	splice *splicer
	frame  func(*perch.Event) []byte // in the encoding of the stream
	bye    func(ending) []byte       // the last frame; nil: the stream just ends
	cancel context.CancelFunc        // ends the request to the owner
	quiet  time.Duration             // of silence, after which the owner is lost
	heard  atomic.Int64              // when it was heard last, in ns since 1970

	stop chan struct{}
	wg   sync.WaitGroup // of watch
}

// closeTime is how long the peer of a closed stream may take to close it as well.
const closeTime = 5 * time.Second

// newRelay registers a stream that is to pass; close must follow. ctx is that of the
// request to the owner.
func (a *API) newRelay(ctx context.Context, transport string) (context.Context, *relay, error) {
	e, err := a.stream.pass(transport)
	if err != nil {
		return nil, nil, err
	}
	rl := &relay{entry: e, stop: make(chan struct{}), quiet: 2*a.o.Heartbeat + a.o.PingTimeout}
	ctx, rl.cancel = context.WithCancel(ctx)
	rl.heard.Store(time.Now().UnixNano())
	return ctx, rl, nil
}

func (rl *relay) close(a *API) {
	rl.cancel()
	close(rl.stop)
	rl.wg.Wait()
	a.stream.leave(rl.entry)
}

// pass is the way of the bytes from the owner to the client.
func (rl *relay) pass(p []byte) error {
	rl.heard.Store(time.Now().UnixNano())
	return rl.splice.pass(p)
}

// watch ends the stream when its time has come.
func (rl *relay) watch() {
	silence, leave, late := time.NewTimer(rl.quiet), time.NewTimer(0), time.NewTimer(0)
	leave.Stop()
	late.Stop()
	defer silence.Stop()
	defer leave.Stop()
	defer late.Stop()
	end := func(e ending) {
		var last []byte
		if rl.bye != nil {
			last = rl.bye(e)
		}
		late.Reset(closeTime)
		rl.splice.add(last, true)
	}
	ended := rl.splice.ended
	for {
		select {
		case <-rl.stop:
			return
		case after := <-rl.entry.plan:
			leave.Reset(after)
			rl.splice.add(rl.frame(reconnect(after)), false)
		case <-leave.C:
			end(ending{closeDraining, nil})
		case <-silence.C:
			if left := rl.quiet - time.Since(time.Unix(0, rl.heard.Load())); left > 0 {
				silence.Reset(left)
				continue
			}
			end(endingOf(sessions.ErrMoved))
		case <-ended:
			ended = nil
			late.Reset(closeTime)
			if rl.bye == nil {
				rl.cancel() // lines have no closing handshake
			}
		case <-late.C:
			rl.cancel()
		}
	}
}
