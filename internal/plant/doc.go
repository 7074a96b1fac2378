// Package plant has a mistake for each promise that the ledger (internal/ledger) watches
// over. Every one is a constant that is false, so the compiler leaves the mistake out;
// building with its tag (go build -tags plant_ack) plants it. A ledger that does not fail
// on such a build proves nothing.
//
// The constants are used at one place each. Nothing else is ever decided by them.
package plant
