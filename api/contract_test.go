package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/docs"
	"github.com/perch-im/perch/internal/contract"
	"github.com/perch-im/perch/sessions"
)

// described holds everything that goes through a client of these tests against
// openapi.yaml. A benchmark measures the gateway, not the check.
func described(t testing.TB, base http.RoundTripper) http.RoundTripper {
	if _, bench := t.(*testing.B); bench {
		return base
	}
	return contract.Transport(t, base)
}

// describedFrame holds a frame of a WebSocket against asyncapi.yaml.
func describedFrame(t testing.TB, frame []byte) {
	t.Helper()
	if _, bench := t.(*testing.B); !bench {
		contract.Frame(t, frame)
	}
}

// sentCommands are what a client has sent, by id: a command that gets a reply must be
// described too.
type sentCommands map[string]string

func (s sentCommands) sent(text string) {
	var c struct{ ID string }
	if json.Unmarshal([]byte(text), &c) == nil && c.ID != "" {
		s[c.ID] = text
	}
}

func (s sentCommands) answered(t testing.TB, e envelope) {
	t.Helper()
	if text, ok := s[e.Ref]; ok && e.Type == "reply" {
		describedFrame(t, []byte(text))
	}
}

// TestEveryRouteIsDescribed, and every described route is there.
func TestEveryRouteIsDescribed(t *testing.T) {
	g := newBare(t, new(sessions.Manager))
	sameRoutes(t, g.api.Routes(), perch.OpenAPI)
	sameRoutes(t, g.api.AdminRoutes(), docs.AdminOpenAPI)
}

func sameRoutes(t *testing.T, routes []string, description []byte) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		t.Fatalf("openapi3.NewLoader: got error %v, want none", err)
	}
	var described []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	slices.Sort(described)
	slices.Sort(routes)
	if diff := cmp.Diff(routes, described); diff != "" {
		t.Errorf("routes, -got (router) +want (openapi.yaml), were:\n%s", diff)
	}
}

func TestEveryProblemIsDescribed(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(perch.OpenAPI)
	if err != nil {
		t.Fatalf("openapi3.NewLoader: got error %v, want none", err)
	}
	var described []string
	for _, code := range doc.Components.Schemas["Problem"].Value.Properties["code"].Value.Enum {
		described = append(described, code.(string))
	}
	slugs := api.Slugs()
	slices.Sort(described)
	slices.Sort(slugs)
	if diff := cmp.Diff(slugs, described); diff != "" {
		t.Errorf("problems, -got (problem_table.go) +want (openapi.yaml), were:\n%s", diff)
	}
}

// TestDescriptionsAreTagged: each description has a tag, and is not sent again to who has it. The client of the test
// holds both answers against what is described.
func TestDescriptionsAreTagged(t *testing.T) {
	g := newGateway(t, func(o *gatewayOptions) {
		o.OpenAPI, o.AsyncAPI, o.Admin.OpenAPI = perch.OpenAPI, perch.AsyncAPI, docs.AdminOpenAPI
	})
	for _, path := range []string{"/v1/openapi.yaml", "/v1/asyncapi.yaml"} {
		tag := g.want(200, "GET", path, "", nil).header.Get("ETag")
		g.want(304, "GET", path, "", nil, "If-None-Match", tag)
	}
	o := g.operator(t)
	status, _ := o.do("GET", "openapi.yaml", "")
	again, text := o.do("GET", "openapi.yaml", "", "If-None-Match", "*")
	if status != 200 || again != 304 || len(text) != 0 {
		t.Errorf("openapi.yaml of operators: got %d, then %d %.40q, want 200, then 304 and nothing", status, again, text)
	}
}
