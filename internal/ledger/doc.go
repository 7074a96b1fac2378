// Package ledger proves that no message is lost. It runs several gateways as the programs
// that operators run, between a real XMPP server, a real Redis and foreign clients, breaks
// one part after the other by a seeded plan, and keeps a history of everything that was
// sent, seen and broken. What is promised is then checked against that history alone.
//
//	go run ./internal/ledger/cmd -messages 20000 -faults 60 -server prosody -seed 7
//
// docs/ledger.md describes what is promised, which faults there are and how to read a history.
package ledger
