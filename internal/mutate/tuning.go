package main

// tuning are numbers that look like limits and bound nothing that a client, a server or an
// operator could tell: with another one everything is the same, only cheaper or dearer. Each has
// its reason. A number that anything depends on has a test instead.
var tuning = map[string]string{
	"cache.batchJobs":  "how many commits share a round trip; all of them are written, in the same order",
	"cache.batchBytes": "the same, in bytes",
}
