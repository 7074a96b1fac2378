package app_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/testkit"
)

// TestDrainIsSeen: while a node drains, its admin listener says so, and still serves metrics.
func TestDrainIsSeen(t *testing.T) {
	a := observed(t, func(o *app.Options) { o.DrainTime = 20 * time.Second })
	if text := scrape(t, a); !strings.Contains(text, "\nperch_draining_seconds 0\n") {
		t.Errorf("before the drain there is no perch_draining_seconds 0, want %q in it", "\nperch_draining_seconds 0\n")
	}
	g := testkit.NewGateway(t, a.URL(), "demo-alice")
	stream := g.Stream(t, "")
	stream.ExpectType(t, "live")
	stopped := make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	go func() { stopped <- a.Stop(ctx) }()
	stream.ExpectType(t, "reconnect")
	testkit.Eventually(t, 5*time.Second, func() error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.AdminAddr()+"/readyz", nil)
		if err != nil {
			return err
		}
		transport := &http.Transport{DisableKeepAlives: true}
		res, err := transport.RoundTrip(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err == nil && (res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "draining")) {
			err = fmt.Errorf("/readyz: %d %s", res.StatusCode, body)
		}
		return err
	})
	if text := scrape(t, a); !regexp.MustCompile(`\nperch_draining_seconds (0\.\d+|[1-9])`).MatchString(text) {
		t.Error("while it drains perch_draining_seconds does not run, want more than 0")
	}
	stream.Close()
	if err := <-stopped; err != nil {
		t.Errorf("the result of stopped: got error %v, want none", err)
	}
}
