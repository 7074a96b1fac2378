// Package app wires the gateway together and gives it a life: New builds, Start
// serves, Stop drains. It is the only package that sees all the others.
//
//	a, err := app.New(app.Options{})        // embedded services, memory, free choice of ports
//	if err := a.Start(); err != nil { ... } // listeners are bound: Addr is known
//	defer a.Stop(ctx)                       // bounded by ctx, idempotent
package app
