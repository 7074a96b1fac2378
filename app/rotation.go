package app

import (
	"context"
	"sync"
	"time"

	"github.com/perch-im/perch/sessions"
)

// rotateEvery is the time between two looks at what is kept by a secret or key that is to go.
const rotateEvery = 30 * time.Second

// rotateSecrets moves what can be moved without clients, for as long as the app serves. Outside of a
// rotation there is nothing to do.
func (a *App) rotateSecrets() {
	rotating, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(rotateEvery)
		defer tick.Stop()
		for {
			if err := a.manager.Rotate(rotating); err != nil && rotating.Err() == nil {
				a.log.Warn("rotation of secrets incomplete, will retry", "component", "rotation", "error", err)
			}
			select {
			case <-tick.C:
			case <-a.live.rotate:
			case <-rotating.Done():
				return
			}
		}
	})
	a.onStop("rotation of secrets", func(context.Context) error {
		stop()
		done.Wait()
		return nil
	})
}

// watchRotation shows how much is left.
func (m *metrics) watchRotation(manager *sessions.Manager) {
	left := func(of func(sessions.Rotation) int) func() float64 {
		return func() float64 {
			found, known := manager.Rotation()
			if !known {
				return -1
			}
			return float64(of(found))
		}
	}
	m.registry.MustRegister(
		gauge("perch_rotation_tokens_left", "Tokens that are not known to be bound under the secret in use, while it is rotated; as of the last half minute, -1: not counted yet.",
			left(func(r sessions.Rotation) int { return r.Tokens })),
		gauge("perch_rotation_credentials_left", "Credentials that are sealed with another key than the first, while there are several; as of the last half minute, -1: not counted yet.",
			left(func(r sessions.Rotation) int { return r.Credentials })),
	)
}
