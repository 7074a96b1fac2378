// Package mutants has a mistake for each promise that the ledger (internal/ledger) watches
// over, and one that only a soak finds (bench). None of them is in the source of the gateway: each is a replacement of some text, which
// the overlay of the go command (go help build, -overlay) puts into one build. A ledger, or
// a soak, that does not fail on such a build proves nothing.
//
// A text that is replaced has to be there, once: when the code has changed so that it is not,
// the overlay fails, and its replacement has to be written anew.
package mutants
