package api

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// negotiate picks the offer that the Accept header of r likes best (RFC 9110, 12.5.1).
// Among equals the first offer wins, and so it does when none is acceptable: a client
// that cannot read it at least sees what it is.
func negotiate(r *http.Request, offers ...string) string {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	best, bestQ := offers[0], 0.0
	if strings.TrimSpace(accept) == "" {
		return best
	}
	for _, offer := range offers {
		if q := quality(accept, offer); q > bestQ {
			best, bestQ = offer, q
		}
	}
	return best
}

// quality is the weight that an Accept header gives to a media type: that of its most
// precise range.
func quality(accept, offer string) float64 {
	group, _, _ := strings.Cut(offer, "/")
	q, precision := 0.0, -1
	for part := range strings.SplitSeq(accept, ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		p := -1
		switch media {
		case offer:
			p = 2
		case group + "/*":
			p = 1
		case "*/*":
			p = 0
		}
		if p > precision {
			precision, q = p, weight(params["q"])
		}
	}
	return q
}

func weight(s string) float64 {
	if s == "" {
		return 1
	}
	q, err := strconv.ParseFloat(s, 64)
	if err != nil || q < 0 || q > 1 {
		return 0
	}
	return q
}
