package api

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perch-im/perch/sessions"
)

// relay is a stream that the owner of its session, another node, serves and this node passes on.
// It is registered like a stream of this node, except for the quota of its session, which the
// owner counts. When this node drains, the client gets reconnect and is closed with 4200; when
// the connection to the owner is lost, with 4201.
type relay struct {
	entry      *entry
	splice     *splicer
	frame      framing             // in the encoding of the stream
	closeFrame func(ending) []byte // the last frame; nil: the stream just ends
	cancel     context.CancelFunc  // ends the request to the owner
	maxSilence time.Duration       // without a byte of the owner, until it counts as lost
	lastHeard  atomic.Int64        // when a byte of the owner came last, in ns since 1970

	stop chan struct{}
	wg   sync.WaitGroup // of watch
}

// closeTime is how long the client of a closed stream may take to close it as well.
const closeTime = 5 * time.Second

// newRelay registers a stream that is to be relayed; close must follow. The context that it
// returns is for the request to the owner.
func (a *API) newRelay(ctx context.Context, transport string) (context.Context, *relay, error) {
	e, err := a.streams.openRelay(transport)
	if err != nil {
		return nil, nil, err
	}
	rl := &relay{entry: e, stop: make(chan struct{}), maxSilence: 2*a.o.Heartbeat + a.o.PingTimeout}
	ctx, rl.cancel = context.WithCancel(ctx)
	rl.lastHeard.Store(time.Now().UnixNano())
	return ctx, rl, nil
}

func (rl *relay) close(a *API) {
	rl.cancel()
	close(rl.stop)
	rl.wg.Wait()
	a.streams.close(rl.entry)
}

// pass writes bytes of the owner to the client.
func (rl *relay) pass(p []byte) error {
	rl.lastHeard.Store(time.Now().UnixNano())
	return rl.splice.pass(p)
}

// watch ends the stream in a drain, or when the owner is silent for too long.
func (rl *relay) watch() {
	silence, leave, late := time.NewTimer(rl.maxSilence), time.NewTimer(0), time.NewTimer(0)
	leave.Stop()
	late.Stop()
	defer silence.Stop()
	defer leave.Stop()
	defer late.Stop()
	end := func(e ending) {
		var last []byte
		if rl.closeFrame != nil {
			last = rl.closeFrame(e)
		}
		late.Reset(closeTime)
		rl.splice.insert(last, true)
	}
	ended := rl.splice.ended
	for {
		select {
		case <-rl.stop:
			return
		case after := <-rl.entry.closeAfter:
			leave.Reset(after)
			rl.splice.insert(rl.frame(nil, reconnect(after)), false)
		case <-leave.C:
			end(ending{closeDraining, nil})
		case <-silence.C:
			if left := rl.maxSilence - time.Since(time.Unix(0, rl.lastHeard.Load())); left > 0 {
				silence.Reset(left)
				continue
			}
			end(endingOf(sessions.ErrMoved))
		case <-ended:
			ended = nil
			late.Reset(closeTime)
			if rl.closeFrame == nil {
				rl.cancel() // lines have no closing handshake
			}
		case <-late.C:
			rl.cancel()
		}
	}
}
