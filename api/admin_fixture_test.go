package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/docs"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/contract"
)

// adminToken is that of the fixtures.
var adminToken = canary.Secret()

// withAdmin gives a gateway everything that the operator's API asks for.
func withAdmin(o *gatewayOptions) {
	o.Admin.Token = perch.NewSecret(adminToken)
	o.Admin.Level = new(slog.LevelVar)
	o.Admin.OpenAPI = docs.AdminOpenAPI
	o.Admin.Drain, o.Admin.Resume = func() {}, func() {}
	o.Admin.Upstreams = func() []api.UpstreamReport {
		return []api.UpstreamReport{{
			Name: "default", Domain: "example.net", Profile: "standard", SignIns: 2, Resumes: 1,
			Failures:    []api.CauseCount{{Cause: perch.CauseRefused, Count: 3}},
			LastFailure: &api.LoginFailure{Cause: perch.CauseRefused, At: perch.At(time.Unix(1_700_000_000, 0)), Target: "xmpp.example.net:5222", Error: "refused", Advice: "start it"},
			Logins:      api.LoginTimes{Count: 2, Mean: 100, Max: 150},
		}}
	}
}

// operator sends requests to the admin listener of a gateway, each held against the description.
type operator struct {
	t      testing.TB
	url    string
	client *http.Client
	token  string
}

func (g *gateway) operator(t testing.TB) *operator {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &operator{t, g.admin, &http.Client{Transport: contract.AdminTransport(t, transport, docs.AdminOpenAPI)}, adminToken}
}

// do sends a request; the path is below /admin/v1/. Header are names and values.
func (o *operator) do(method, path, body string, header ...string) (int, []byte) {
	o.t.Helper()
	req, err := http.NewRequestWithContext(o.t.Context(), method, o.url+"/admin/v1/"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		o.t.Fatalf("NewRequest: got error %v, want none", err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if o.token != "" {
		req.Header.Set("Authorization", "Bearer "+o.token)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		} else {
			req.Header.Set(header[i], header[i+1])
		}
	}
	res, err := o.client.Do(req)
	if err != nil {
		o.t.Fatalf("%s %s: got error %v, want none", method, path, err)
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		o.t.Fatalf("%s %s: got error %v, want none", method, path, err)
	}
	return res.StatusCode, all
}

// want is do for a request that must have a status; the answer goes into v, unless that is nil.
func (o *operator) want(status int, method, path, body string, v any) {
	o.t.Helper()
	got, answer := o.do(method, path, body)
	if got != status {
		o.t.Fatalf("%s %s: got %d %s, want %d", method, path, got, answer, status)
	}
	if v == nil {
		return
	}
	if err := json.Unmarshal(answer, v); err != nil {
		o.t.Fatalf("%s %s: got %s, want JSON: %v", method, path, answer, err)
	}
}

// What the tests read of the answers.
type (
	listedSession struct {
		ID, JID, Upstream, Node, State string
		Streams                        int
		OpenStreams                    []struct{ Transport, Since string } `json:"open_streams"`
		Log                            struct {
			Epoch       string
			First, Last int64
		}
		Tokens []struct{ ID, Kind string }
	}
	sessionPage struct {
		Items       []listedSession
		Next        *string
		Unreachable []struct{ Node, Detail string }
	}
	nodeList struct {
		Items []struct {
			ID, Name, State, Detail, Version string
			Owned, Streams                   int
		}
	}
)

// sessions lists with a query.
func (o *operator) sessions(query string) (p sessionPage) {
	o.t.Helper()
	o.want(200, "GET", "sessions?"+query, "", &p)
	return p
}

// jids are those of a page, as text.
func (p sessionPage) jids() string {
	var all []string
	for _, s := range p.Items {
		all = append(all, s.JID)
	}
	return strings.Join(all, " ")
}

// withLocalAddr is the context of a request to a listener at an address.
func withLocalAddr(ctx context.Context, addr string) context.Context {
	return context.WithValue(ctx, http.LocalAddrContextKey, net.Addr(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))))
}
