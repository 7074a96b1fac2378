package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/perch-im/perch/internal/canary"
	"go.yaml.in/yaml/v3"
)

// Transport makes requests with base and holds every answer against openapi.yaml, and
// every request that was not refused. Streams are checked frame by frame, as they are
// read. The frames of a WebSocket are left to [Frame].
func Transport(t TB, base http.RoundTripper) http.RoundTripper {
	return &transport{t, base, func() *operations { return load().operations }}
}

// AdminTransport is Transport for the operator's API, whose description is given; of the rest of the
// admin listener it holds nothing against it.
func AdminTransport(t TB, base http.RoundTripper, description []byte) http.RoundTripper {
	return &transport{t, base, sync.OnceValue(func() *operations {
		var open map[string]any
		if err := yaml.Unmarshal(description, &open); err != nil {
			panic("contract: admin-openapi.yaml: " + err.Error())
		}
		seal(open)
		ops, err := newOperations(open)
		if err != nil {
			panic("contract: admin-openapi.yaml: " + err.Error())
		}
		return ops
	})}
}

// A merge patch is JSON (RFC 7396), which the validator does not know.
func init() {
	openapi3filter.RegisterBodyDecoder("application/merge-patch+json", openapi3filter.JSONBodyDecoder)
}

type transport struct {
	t    TB
	base http.RoundTripper
	ops  func() *operations
}

// RoundTrip implements http.RoundTripper.
func (tr *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := tr.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	tr.t.Helper()
	if req.URL.Path == "/mcp" && isMedia(res, "text/event-stream") { // its frames are those of another protocol
		tr.report(req, res, check(tr.ops(), req, res, nil))
		return res, nil
	}
	if sse := isMedia(res, "text/event-stream"); sse || isMedia(res, "application/x-ndjson") {
		res.Body = &lineReader{ReadCloser: res.Body, t: tr.t, sse: sse}
		tr.report(req, res, check(tr.ops(), req, res, nil))
		return res, nil
	}
	if res.StatusCode == http.StatusSwitchingProtocols {
		tr.report(req, res, check(tr.ops(), req, res, nil))
		return res, nil
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		// A test may have cut the connection on purpose; it sees what the client sees.
		res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
		return res, nil
	}
	if res.StatusCode >= http.StatusBadRequest {
		canary.Answer(req.Method+" "+res.Status, res.Header, body)
	}
	tr.report(req, res, check(tr.ops(), req, res, body))
	return res, nil
}

func (tr *transport) report(req *http.Request, res *http.Response, err error) {
	tr.t.Helper()
	if err != nil {
		tr.t.Errorf("contract: %s %s: %d is not as described: %v", req.Method, req.URL.EscapedPath(), res.StatusCode, err)
	}
}

type failing struct{ error }

func (f failing) Read([]byte) (int, error) { return 0, f.error }

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (tr *transport) CloseIdleConnections() {
	if c, ok := tr.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// check compares an exchange with the description; body is nil where it is not to be read.
func check(ops *operations, req *http.Request, res *http.Response, body []byte) error {
	if req.Method == http.MethodHead || req.Method == http.MethodOptions {
		return nil
	}
	if strings.Contains(res.Header.Get("Proxy-Status"), "error=") {
		return nil // a proxy speaks (RFC 9209), not the gateway
	}
	route, params, err := ops.router.FindRoute(req)
	if errors.Is(err, routers.ErrPathNotFound) || errors.Is(err, routers.ErrMethodNotAllowed) {
		return checkElsewhere(req, res, body)
	}
	if err != nil {
		return err
	}
	in := &openapi3filter.RequestValidationInput{
		Request: req.Clone(req.Context()), PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true,
			RejectWhenRequestBodyNotSpecified: true, SkipSettingDefaults: true,
		},
	}
	if res.StatusCode < 400 {
		if err := ops.checkRequest(req, in); err != nil {
			return err
		}
	}
	return ops.checkAnswer(in, res, body)
}

// checkRequest looks at a request that was accepted.
func (ops *operations) checkRequest(req *http.Request, in *openapi3filter.RequestValidationInput) error {
	body, err := bodyOf(req)
	if err != nil {
		return err
	}
	in.Request.Body = io.NopCloser(bytes.NewReader(body))
	if spec := in.Route.Operation.RequestBody; spec != nil && len(body) > 0 {
		s, err := ops.schemaOf(spec.Value.Content, req.Header.Get("Content-Type"))
		if err != nil {
			return err
		}
		if s != nil {
			in.Options.ExcludeRequestBody = true
			if err := holds(s, body); err != nil {
				return fmt.Errorf("it was accepted: %w", err)
			}
		}
	}
	if err := openapi3filter.ValidateRequest(req.Context(), in); err != nil {
		return fmt.Errorf("it was accepted: %w", err)
	}
	return nil
}

// bodyOf is what a request had as its body.
func bodyOf(req *http.Request) ([]byte, error) {
	if req.GetBody == nil {
		return nil, nil
	}
	r, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func (ops *operations) checkAnswer(in *openapi3filter.RequestValidationInput, res *http.Response, body []byte) error {
	answer, also := describedAnswer(in.Route.Operation, res.StatusCode)
	if answer == nil {
		return errors.New("there is no such status")
	}
	for name, h := range answer.Value.Headers {
		if (h.Value.Required || name == also) && res.Header.Get(name) == "" {
			return fmt.Errorf("it lacks the header %s", name)
		}
	}
	if answer.Value.Headers["ETag"] == nil && res.Header.Get("ETag") != "" {
		return errors.New("it has the header ETag, which is not described")
	}
	if len(answer.Value.Content) == 0 && len(body) > 0 {
		return fmt.Errorf("it has a body: %.200q", body)
	}
	media := res.Header.Get("Content-Type")
	if len(answer.Value.Content) > 0 && answer.Value.Content.Get(media) == nil {
		return fmt.Errorf("it is %q", media)
	}
	s, err := ops.schemaOf(answer.Value.Content, media)
	if err != nil {
		return err
	}
	options := *in.Options
	options.ExcludeResponseBody = !isJSON(res) || s != nil
	if s != nil && isJSON(res) {
		if err := holds(s, body); err != nil {
			return err
		}
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: res.StatusCode, Header: res.Header, Options: &options,
	}
	out.SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(in.Request.Context(), out); err != nil {
		return err
	}
	if in.Route.Path == "/v1/events" && res.StatusCode == http.StatusOK && isJSON(res) {
		return checkPoll(body)
	}
	return nil
}

// describedAnswer is the answer of an operation with a status: for those in x-refusals it is the common one,
// which names headers that some of them need. Also is the one that this status needs.
func describedAnswer(op *openapi3.Operation, status int) (answer *openapi3.ResponseRef, also string) {
	if answer := op.Responses.Status(status); answer != nil {
		return answer, ""
	}
	refusals, _ := op.Extensions["x-refusals"].(map[string]any)
	if refusals[strconv.Itoa(status)] == nil {
		return nil, ""
	}
	switch status {
	case http.StatusUnauthorized:
		also = "WWW-Authenticate"
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		also = "Retry-After"
	}
	return op.Responses.Default(), also
}

// checkPoll holds the events of a long poll against asyncapi.yaml.
func checkPoll(body []byte) error {
	var poll struct{ Events []json.RawMessage }
	if err := json.Unmarshal(body, &poll); err != nil {
		return err
	}
	for _, e := range poll.Events {
		if err := checkFrame(e); err != nil {
			return err
		}
	}
	return nil
}

// checkElsewhere looks at what is no operation: below /v1 it is refused with a problem;
// beside it are pages.
func checkElsewhere(req *http.Request, res *http.Response, body []byte) error {
	if !strings.HasPrefix(req.URL.Path, "/v1") && !strings.HasPrefix(req.URL.Path, "/admin/v1") {
		return nil
	}
	if res.StatusCode < 400 || !isMedia(res, "application/problem+json") {
		return errors.New("it is no operation, and was not refused with a problem")
	}
	s, err := load().schema("#/components/schemas/Problem")
	if err != nil {
		return err
	}
	return holds(s, body)
}

func isJSON(res *http.Response) bool {
	return isMedia(res, "application/json") || isMedia(res, "application/problem+json")
}

func isMedia(res *http.Response, media string) bool {
	got, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	return got == media
}
