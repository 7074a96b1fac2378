package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// stopper is one thing to undo, with a name for the error.
type stopper struct {
	name string
	stop func(context.Context) error
}

// onStop registers what undoes a resource. It is called on the line after the resource
// exists; stops run last in, first out.
func (a *App) onStop(name string, stop func(context.Context) error) {
	a.stops = append(a.stops, stopper{name, stop})
}

// Stop drains and ends the app, bounded by ctx. It may be called more than once, and on
// an app that never started; the later calls return what the first one did.
func (a *App) Stop(ctx context.Context) error {
	a.stopOnce.Do(func() {
		var errs []error
		for _, s := range slices.Backward(a.stops) {
			if err := s.stop(ctx); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
			}
		}
		a.stopErr = errors.Join(errs...)
	})
	return a.stopErr
}
