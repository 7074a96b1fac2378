package sasl

// What the tests of this package look into from outside.
var (
	CheckRounds        = checkRounds
	Prepared           = prepared
	ErrServerNotProven = errServerNotProven
)
