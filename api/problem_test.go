package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
)

// The table of the API description: every slug and its status.
var slugStatus = map[string]int{
	"unauthorized": 401, "forbidden": 403, "blocked": 403, "insufficient-scope": 403, "not-found": 404, "item-not-found": 404, "conflict": 409,
	"room-not-joined": 409, "nick-conflict": 409, "occupant-changed": 409, "gone": 410,
	"idempotency-mismatch": 422, "validation": 422, "jid-malformed": 422, "malformed-json": 400,
	"body-too-large": 413, "unsupported-media-type": 415, "upgrade-required": 426, "quota-exceeded": 429,
	"feature-unsupported": 501, "xmpp-error": 502, "upstream-tls": 502, "session-offline": 503, "draining": 503,
	"storage-unavailable": 503, "upstream-timeout": 504, "file-too-large": 413, "upload-refused": 502, "internal": 500, "method-not-allowed": 405, "length-required": 411,
}

func TestProblemStatus(t *testing.T) {
	if len(api.Slugs()) != len(slugStatus) {
		t.Errorf("%d slugs, want %d", len(api.Slugs()), len(slugStatus))
	}
	for slug, status := range slugStatus {
		p := api.ProblemOf(perch.Errorf(perch.Kind(slug), "why"))
		if p.Status != status || p.Code != slug || p.Type != "/problems/"+slug || p.Title == "" {
			t.Errorf("%s: %+v, want %d, its type and a title", slug, p, status)
		}
		if status == 503 && p.RetryAfter() <= 0 {
			t.Errorf("got %s: no Retry-After, want the seconds to wait", slug)
		}
	}
}

// Kinds that only the supervision of sessions distinguishes must not become a 500.
func TestProblemOfSupervisionKinds(t *testing.T) {
	for kind, slug := range map[perch.Kind]string{
		perch.KindLinkLost: "session-offline", perch.KindStreamConflict: "session-offline", perch.KindTryLater: "session-offline",
		perch.KindPolicy: "xmpp-error", perch.KindUpstreamConfig: "xmpp-error", perch.KindRedirectRefused: "xmpp-error",
	} {
		if p := api.ProblemOf(perch.Errorf(kind, "")); p.Code != slug {
			t.Errorf("%s: %q, want %q", kind, p.Code, slug)
		}
	}
}

func TestProblemOfStanzaErrors(t *testing.T) {
	for condition, want := range map[string]int{
		"item-not-found": 404, "recipient-unavailable": 404,
		"forbidden": 403, "not-authorized": 403, "subscription-required": 403, "policy-violation": 403,
		"jid-malformed": 422, "bad-request": 422, "not-acceptable": 422, "conflict": 409,
		"feature-not-implemented": 501, "service-unavailable": 501, "resource-constraint": 429,
		"remote-server-not-found": 502, "remote-server-timeout": 504,
		"gone": 502, "internal-server-error": 502, "undefined-condition": 502, "": 502,
	} {
		err := &perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: condition, Text: "words"}}
		p := api.ProblemOf(fmt.Errorf("wrapped: %w", err))
		if p.Status != want || p.XMPP == nil || p.XMPP.Condition != condition {
			t.Errorf("%s: %d %+v, want %d", condition, p.Status, p.XMPP, want)
		}
	}
	ofAccount := &perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: "service-unavailable", By: "bob@example.net"}}
	if p := api.ProblemOf(ofAccount); p.Status != 502 {
		t.Errorf("service-unavailable by an account: %d, want 502", p.Status)
	}
}

func TestProblemHidesCauses(t *testing.T) {
	for _, err := range []error{
		errors.New("dial redis://:hunter2@10.0.0.1"),
		perch.Wrap(perch.KindInternal, errors.New("hunter2"), "hunter2 in detail"),
		perch.Wrap(perch.KindStorageUnavailable, errors.New("hunter2"), "nothing can be kept"),
		perch.Errorf("kind-of-tomorrow", "hunter2"),
	} {
		if text := fmt.Sprintf("%+v", api.ProblemOf(err)); strings.Contains(text, "hunter2") {
			t.Errorf("the cause shows: %s, want it hidden", text)
		}
	}
	if p := api.ProblemOf(fmt.Errorf("ask: %w", context.DeadlineExceeded)); p.Status != http.StatusGatewayTimeout {
		t.Errorf("deadline: %d, want 504", p.Status)
	}
	late := &perch.Error{Kind: perch.KindSessionOffline, RetryAfter: 42 * time.Second}
	if p := api.ProblemOf(late); p.RetryAfter() != 42*time.Second {
		t.Errorf("got Retry-After %v, want 42 s", p.RetryAfter())
	}
}
