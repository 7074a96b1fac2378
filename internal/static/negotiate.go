package static

import (
	"net/http"
	"strconv"
	"strings"
)

// acceptsGzip reports whether a client takes gzip, and does not like the plain file better (RFC 9110,
// 12.5.3): what is not named has the weight of "*". A client that says nothing gets the plain file,
// which it can always read.
func acceptsGzip(h http.Header) bool {
	accepted := weights(h.Values("Accept-Encoding"))
	gzip, named := accepted["gzip"]
	if !named {
		gzip, named = accepted["x-gzip"] // its other name (RFC 9110, 8.4.1.3)
	}
	if !named {
		gzip = accepted["*"]
	}
	return gzip > 0 && gzip >= accepted["identity"]
}

// WantsHTML reports whether a client that has made a mistake should get a page for people, and not JSON
// (RFC 9110, 12.5.1): browsers name text/html, and programs that take anything do not.
func WantsHTML(h http.Header) bool {
	accepted := weights(h.Values("Accept"))
	html := max(accepted["text/html"], accepted["application/xhtml+xml"])
	return html > 0 && html >= max(accepted["application/problem+json"], accepted["application/json"])
}

// weights reads a list of names with weights, in lower case. A weight that is none counts as 0: what a
// client has not said clearly it does not get.
func weights(lines []string) map[string]float64 {
	found := map[string]float64{}
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			name, parameters, _ := strings.Cut(item, ";")
			if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
				found[name] = weightOf(parameters)
			}
		}
	}
	return found
}

// weightOf reads the weight of an item from its parameters (RFC 9110, 12.4.2).
func weightOf(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		weight, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(weight >= 0 && weight <= 1) {
			return 0
		}
		return weight
	}
	return 1
}

// matches reports whether If-None-Match names a tag (RFC 9110, 13.1.2; the comparison is weak, as
// proxies that compress make weak tags of strong ones).
func matches(h http.Header, tag string) bool {
	for _, line := range h.Values("If-None-Match") {
		for item := range strings.SplitSeq(line, ",") {
			if item = strings.TrimSpace(item); item == "*" || strings.TrimPrefix(item, "W/") == tag {
				return true
			}
		}
	}
	return false
}
