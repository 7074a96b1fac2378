package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// slot is the answer of POST /v1/uploads.
type slot struct {
	ID  string `json:"id"`
	Put struct {
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers"`
	} `json:"put"`
	GetURL    string    `json:"get_url"`
	ProxyURL  string    `json:"proxy_url"`
	ProxyOnly bool      `json:"proxy_only"`
	ExpiresAt time.Time `json:"expires_at"`
	MaxSize   int64     `json:"max_size"`
}

const fileRequest = `{"name":"cat.png","size":70,"type":"image/png"}`

// uploadsAt gives the upstream an upload service whose slots are at an address.
func (g *gateway) uploadsAt(address string, headers ...perch.UploadHeader) {
	g.up.Edit(func(d *fakexmpp.Data) {
		d.Uploads = &fakexmpp.UploadData{Service: perch.UploadService{JID: "upload.example.net", MaxSize: 200 << 20}}
		d.Uploads.Slot = func(f perch.UploadFile) (perch.UploadSlot, error) {
			return perch.UploadSlot{Put: perch.NewSecret(address + "/put/" + f.Name), Get: address + "/get/" + f.Name, Headers: headers}, nil
		}
	})
}

// TestUploadSlot: the answer has all that a client needs to put the file and to tell others of it.
func TestUploadSlot(t *testing.T) {
	g := newGateway(t)
	g.uploadsAt("https://up.test", perch.UploadHeader{Name: "Authorization", Value: perch.NewSecret("Bearer 5")}, perch.UploadHeader{Name: "Expires", Value: perch.NewSecret("never")})
	var got slot
	g.want(201, "POST", "/v1/uploads", fileRequest, &got)
	if left := time.Until(got.ExpiresAt); got.ID == "" || left < 4*time.Minute || left > 5*time.Minute {
		t.Errorf("got %+v, want an id, and five minutes", got)
	}
	want := slot{ID: got.ID, ExpiresAt: got.ExpiresAt, GetURL: "https://up.test/get/cat.png", MaxSize: 200 << 20}
	want.Put.URL, want.Put.Headers = "https://up.test/put/cat.png", map[string]string{"Authorization": "Bearer 5", "Expires": "never"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("got another slot than wanted (-want +got):\n%s", diff)
	}
	var info perch.SessionInfo
	g.want(200, "GET", "/v1/session", "", &info)
	if !slices.Contains(info.Features, "uploads") || info.Uploads == nil || *info.Uploads != (perch.SessionUploads{MaxSize: 200 << 20, Proxy: perch.UploadProxyOff}) {
		t.Errorf("got %v, %+v, want uploads among the features, the limit and no proxy", info.Features, info.Uploads)
	}
}

// TestUploadSlotRefused: each refusal names the field, or says what the service said.
func TestUploadSlotRefused(t *testing.T) {
	g := newGateway(t)
	g.uploadsAt("https://up.test")
	for body, want := range map[string]string{
		`{}`:                                 "/size",
		`{"name":"a"}`:                       "/size",
		`{"size":1}`:                         "/name",
		`{"name":"a","size":-1}`:             "/size",
		`{"name":"a","size":1.5}`:            "/size",
		`{"name":"a","size":null}`:           "/size",
		`{"name":"a/b","size":1}`:            "/name",
		`{"name":"a","size":1,"type":"x"}`:   "/type",
		`{"name":"a","size":1,"filename":1}`: "/filename",
	} {
		p := g.want(422, "POST", "/v1/uploads", body, nil).problem(t)
		if len(p.Errors) == 0 || !slices.ContainsFunc(p.Errors, func(e perch.FieldError) bool { return e.Pointer == want }) {
			t.Errorf("%s: got %+v, want an error about %s", body, p, want)
		}
	}
	p := g.want(413, "POST", "/v1/uploads", fmt.Sprintf(`{"name":"a","size":%d}`, 200<<20+1), nil).problem(t)
	if p.Code != "file-too-large" || p.MaxSize != 200<<20 || len(p.Errors) != 1 || p.Errors[0].Pointer != "/size" {
		t.Errorf("too large: got %+v, want file-too-large with the limit", p)
	}
	g.want(422, "POST", "/v1/uploads?x=1", fileRequest, nil)
	var refusal error
	g.up.Edit(func(d *fakexmpp.Data) {
		d.Uploads.Slot = func(perch.UploadFile) (perch.UploadSlot, error) { return perch.UploadSlot{}, refusal }
	})
	for status, err := range map[int]*perch.Error{
		429: {Kind: perch.KindQuotaExceeded, RetryAfter: 90 * time.Second},
		403: {Kind: perch.KindForbidden},
		413: perch.FileTooLarge(5),
		502: {Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: "internal-server-error"}},
		504: {Kind: perch.KindUpstreamTimeout},
	} {
		refusal = err
		a := g.want(status, "POST", "/v1/uploads", fileRequest, nil)
		if status == 429 && a.header.Get("Retry-After") != "90" {
			t.Errorf("got Retry-After %q, want 90", a.header.Get("Retry-After"))
		}
	}
}

// TestUploadUnsupported: where the upstream takes no files, the answer is 501.
func TestUploadUnsupported(t *testing.T) {
	g := newGateway(t)
	if p := g.want(501, "POST", "/v1/uploads", fileRequest, nil).problem(t); p.Code != "feature-unsupported" {
		t.Errorf("got %+v, want feature-unsupported", p)
	}
	a := g.want(200, "GET", "/v1/session", "", nil)
	if strings.Contains(string(a.body), "uploads") {
		t.Errorf("got %s, want nothing of uploads", a.body)
	}
}

// TestUploadSlotWithoutTLS: an address without TLS reaches no client, unless the operator says so.
func TestUploadSlotWithoutTLS(t *testing.T) {
	g := newGateway(t)
	g.uploadsAt("http://up.test")
	p := g.want(http.StatusBadGateway, "POST", "/v1/uploads", fileRequest, nil).problem(t)
	if p.Code != "upload-refused" || !strings.Contains(p.Detail, "TLS") {
		t.Errorf("got %+v, want upload-refused, and why", p)
	}
}
