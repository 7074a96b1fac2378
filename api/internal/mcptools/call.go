package mcptools

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/perch-im/perch"
)

// called is call, with what must be known of it. A fault of ours costs the one call: nothing but the
// goroutine of the SDK would catch it, and that ends the process.
func (s *Server) called(ctx context.Context, t *tool, r *mcp.CallToolRequest) (result *mcp.CallToolResult) {
	defer func() {
		if v := recover(); v != nil {
			result = failed(s.o.Problem(ctx, fmt.Errorf("mcptools: %s panicked: %v\n%s", t.name, v, debug.Stack())))
		}
		s.o.Ended(t.name, result.IsError)
	}()
	return s.call(ctx, t, r)
}

// call carries a tool out. What fails is a result, and no error of the protocol: the model reads it, and
// can do better.
func (s *Server) call(ctx context.Context, t *tool, r *mcp.CallToolRequest) *mcp.CallToolResult {
	p := postOf(ctx)
	s.o.Called(ctx, t.name)
	if p.calls.Add(1) > 1 {
		if err := s.o.Count(ctx); err != nil {
			return failed(s.o.Problem(ctx, err))
		}
	}
	// Not ctx: that of the SDK does not end when the client has left.
	req, err := t.request(p.work, r.Params.Arguments)
	if err != nil {
		return failed(s.o.Problem(ctx, err))
	}
	var a recorder
	if t.waiting {
		s.whileWaiting(ctx, r, func() { s.o.API.ServeHTTP(&a, req) })
	} else {
		s.o.API.ServeHTTP(&a, req)
	}
	switch {
	case p.work.Err() != nil && a.body.Len() == 0:
		return cancelled(t, r.Params.Arguments)
	case a.status >= 400:
		return failed(bytes.TrimSpace(a.body.Bytes()))
	case t.name == "whoami":
		return done(s.withToken(ctx, a.body.Bytes()))
	}
	return done(bytes.TrimSpace(a.body.Bytes()))
}

// withToken adds to the answer about the session what the token may do in it.
func (s *Server) withToken(ctx context.Context, session []byte) []byte {
	var all map[string]any
	if json.Unmarshal(session, &all) != nil {
		return session
	}
	all["token"] = s.o.Token(ctx)
	out, _ := json.Marshal(all) // of what was JSON: cannot fail
	return out
}

// request is the request to the API that a call stands for. What the arguments may be is for the API to
// say; here is refused what is no argument at all.
func (t *tool) request(ctx context.Context, arguments json.RawMessage) (*http.Request, error) {
	args := map[string]json.RawMessage{}
	if len(arguments) > 0 && json.Unmarshal(arguments, &args) != nil {
		return nil, perch.Errorf(perch.KindMalformedJSON, "arguments must be an object")
	}
	target, query, header := t.path, url.Values{}, http.Header{"Accept": {"application/json"}}
	for i := range t.params {
		p := &t.params[i]
		raw, given := args[p.name]
		delete(args, p.name)
		if given = given && string(raw) != "null"; !given && p.needed {
			return nil, perch.Invalid("/"+p.name, "is needed")
		}
		if p.in == inBody {
			if given {
				args[p.name] = raw
			}
			continue
		}
		value, err := p.text(raw, given)
		if err != nil {
			return nil, err
		}
		switch {
		case value == "" && !given:
		case p.in == inQuery:
			query.Set(p.wire(), value)
		case p.in == inHeader:
			header.Set(p.wire(), value)
		case value == "":
			return nil, perch.Invalid("/"+p.name, "is needed")
		default:
			target = strings.Replace(target, "{"+p.name+"}", url.PathEscape(value), 1)
		}
	}
	for i := 0; i < len(t.fixed); i += 2 {
		query.Set(t.fixed[i], t.fixed[i+1])
	}
	return t.send(ctx, target, query, header, args)
}

// send makes the request of the rest of the arguments, which must be those of the body.
func (t *tool) send(ctx context.Context, target string, query url.Values, header http.Header, rest map[string]json.RawMessage) (*http.Request, error) {
	for name := range rest {
		if p := t.param(name); p == nil || p.in != inBody {
			return nil, perch.Invalid("/"+shortened(name), "is not an argument of this tool")
		}
	}
	var body []byte
	if t.method != http.MethodGet {
		body, _ = json.Marshal(rest) // of what was JSON: cannot fail
		header.Set("Content-Type", "application/json")
	}
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, t.method, target, bytes.NewReader(body))
	if err != nil {
		return nil, perch.Wrap(perch.KindValidation, err, "the arguments make no request")
	}
	req.Header, req.RequestURI = header, target
	return req, nil
}

func (t *tool) param(name string) *param {
	for i := range t.params {
		if t.params[i].name == name {
			return &t.params[i]
		}
	}
	return nil
}

// text is the value of an argument that is not in the body, as the API reads it: a list has commas.
func (p *param) text(raw json.RawMessage, given bool) (string, error) {
	if !given {
		return p.standard, nil
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil {
		return "", perch.Invalid("/"+p.name, "is not JSON")
	}
	switch v := value.(type) {
	case string:
		if p.kind["type"] == "string" {
			return v, nil
		}
	case json.Number:
		if p.kind["type"] == "integer" {
			return v.String(), nil
		}
	case bool:
		if p.kind["type"] == "boolean" {
			return fmt.Sprint(v), nil
		}
	case []any:
		if p.kind["type"] == "array" {
			return p.list(v)
		}
	}
	return "", perch.Invalid("/"+p.name, "must be of the type %v", p.kind["type"])
}

func (p *param) list(values []any) (string, error) {
	texts := make([]string, 0, len(values))
	for i, v := range values {
		text, ok := v.(string)
		if !ok || text == "" || strings.Contains(text, ",") {
			return "", perch.Invalid(fmt.Sprintf("/%s/%d", p.name, i), "must be a text without a comma")
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ","), nil
}

// shortened is a name of the client's choice, for an answer to it.
func shortened(name string) string {
	if len(name) > 40 {
		name = name[:40]
	}
	return strings.ToValidUTF8(name, "")
}

// recorder takes an answer of the API.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *recorder) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

// WriteHeader implements http.ResponseWriter.
func (a *recorder) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *recorder) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}
