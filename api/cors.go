package api

import (
	"net/http"
	"strings"

	"github.com/go-chi/cors"
)

// corsHeaders are the headers that a page of a listed origin may send. The browser asks first and
// sends no request when one name is missing, so the list also has what client libraries add by
// themselves: caching headers (npm's eventsource, axios), X-Requested-With (jQuery, older
// frameworks), and trace contexts (W3C, B3, Sentry, Datadog). The API ignores those that its
// documentation does not name.
var corsHeaders = []string{
	"Authorization", "Content-Type", "Accept", "Accept-Language", "Content-Language",
	"Idempotency-Key", "If-None-Match", "If-Match", "If-Modified-Since", "Last-Event-ID",
	"Cache-Control", "Pragma", "Expires", "X-Requested-With", "User-Agent",
	"X-Request-Id", "X-Correlation-Id", "Traceparent", "Tracestate", "Baggage", "Sentry-Trace",
	"B3", "X-B3-Traceid", "X-B3-Spanid", "X-B3-Parentspanid", "X-B3-Sampled", "X-B3-Flags",
	"Mcp-Protocol-Version", "Mcp-Session-Id", "Mcp-Method", "Mcp-Name",
	"X-Datadog-Trace-Id", "X-Datadog-Parent-Id", "X-Datadog-Sampling-Priority", "X-Datadog-Origin",
}

// withCORS answers the browsers of the listed origins. Credentials in the sense of CORS
// (cookies) are never allowed: the API reads none.
func (a *API) withCORS(next http.Handler) http.Handler {
	return a.rebuilt(func(x *settings) http.Handler {
		if len(x.Origins) == 0 {
			return next
		}
		return withRequestedHeaders(cors.Handler(cors.Options{
			AllowedOrigins: x.Origins,
			AllowedMethods: []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
			AllowedHeaders: corsHeaders,
			ExposedHeaders: []string{"ETag", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id", "WWW-Authenticate"},
			MaxAge:         600,
		})(next))
	})
}

const requestedHeaders = "Access-Control-Request-Headers"

// withRequestedHeaders brings the list of a preflight into the form that the library reads: one
// line of names (RFC 9110, 5.6.1: empty elements and blanks are ignored). A list with something
// that is no name is refused, by a name that is not allowed in its place: the library would drop
// the bytes that it does not know.
func withRequestedHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodOptions || len(r.Header.Values(requestedHeaders)) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		var names []string
		for _, name := range headerList(r.Header, requestedHeaders) {
			switch {
			case name == "":
			case isToken(name):
				names = append(names, name)
			default:
				names = append(names, "not-a-header-name")
			}
		}
		r.Header.Set(requestedHeaders, strings.Join(names, ","))
		next.ServeHTTP(w, r)
	})
}
