package stanza

// What the tests of this package look into from outside.
var (
	ParseTime  = parseTime
	Plausible  = plausible
	SniffPhoto = sniffPhoto
	CapsHash   = capsHash
	URIOf      = uriOf
	JIDOfURI   = jidOfURI
)

// Features are those of the own presence, and Node is what it calls them.
var (
	Features = ourFeatures
	Node     = capsNode + "#" + capsVersion
)

// CutRanges takes ranges, or all, out of a text as a fallback would.
func CutRanges(text string, ranges [][2]int, whole bool) (rest, cut string) {
	s := spans{whole: whole}
	for _, r := range ranges {
		if r[0] >= 0 && r[0] < r[1] && r[1] < 1<<31 {
			s.list[s.n] = span{r[0], r[1]}
			s.n++
		}
	}
	return cutOut(text, s.within(len([]rune(text))))
}
