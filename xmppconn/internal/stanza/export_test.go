package stanza

// What the tests of this package look into from outside.
var (
	ParseTime  = parseTime
	Plausible  = plausible
	SniffPhoto = sniffPhoto
)
