package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
)

// TestUploadBodyStalls: each 64 KiB of a file have 30 seconds, so a slow file comes through, and one that
// stops is given up.
func TestUploadBodyStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to := io.Pipe()
		r := httptest.NewRequest(http.MethodPut, "/", from)
		r.ContentLength = 1 << 20
		ctx, body := newUploadBody(context.Background(), httptest.NewRecorder(), r)
		defer body.end()
		go func() { _, _ = io.Copy(io.Discard, body) }()
		step := make([]byte, 64<<10)
		for range 10 { // five minutes
			time.Sleep(30*time.Second - 1)
			_, _ = to.Write(step)
			if synctest.Wait(); ctx.Err() != nil {
				t.Fatalf("a slow file: got %v, want it to go on", context.Cause(ctx))
			}
		}
		_, _ = to.Write(step[1:]) // is no step
		time.Sleep(30*time.Second + 1)
		if synctest.Wait(); !errors.Is(context.Cause(ctx), errStalled) {
			t.Errorf("a byte less: got %v, want %v", context.Cause(ctx), errStalled)
		}
		_ = to.Close()
		if err := uploadFailure(ctx, body, context.Canceled); perch.KindOf(err) != perch.KindUpstreamTimeout {
			t.Errorf("got error %v, want kind %s", err, perch.KindUpstreamTimeout)
		}
	})
}

// TestUploadBodyIsOver: once the handler has returned nothing is read any more, and no deadline is set.
func TestUploadBodyIsOver(t *testing.T) {
	r := httptest.NewRequest(http.MethodPut, "/", http.NoBody)
	ctx, body := newUploadBody(context.Background(), httptest.NewRecorder(), r)
	body.end()
	if n, err := body.Read(make([]byte, 1)); n != 0 || !errors.Is(err, errUploadOver) || ctx.Err() != nil {
		t.Errorf("got %d, %v, want %v", n, err, errUploadOver)
	}
}

// TestUploadBodyOnceMore: a body of which nothing was read is still there for another node, or for this one,
// over both versions of HTTP; one whose read has begun is not.
func TestUploadBodyOnceMore(t *testing.T) {
	for _, version := range []int{1, 2} {
		from, to := io.Pipe()
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, first := newUploadBody(r.Context(), w, r)
			first.end()
			if spent, _ := first.spent(); spent || r.ProtoMajor != version {
				t.Errorf("HTTP/%d: got spent %v over %s, want a body that is not spent", version, spent, r.Proto)
			}
			_, second := newUploadBody(r.Context(), w, r)
			defer second.end()
			go func() { // comes only now
				_, _ = to.Write([]byte("hello"))
				_ = to.Close()
			}()
			if got, err := io.ReadAll(second); string(got) != "hello" || err != nil {
				t.Errorf("HTTP/%d: got %q, %v, want the whole body", version, got, err)
			}
			if spent, _ := second.spent(); !spent {
				t.Errorf("HTTP/%d: got a body that is not spent, want that it is", version)
			}
		}))
		srv.EnableHTTP2 = version == 2
		srv.StartTLS()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, srv.URL, from)
		if err != nil {
			t.Fatalf("HTTP/%d: NewRequestWithContext: got error %v, want none", version, err)
		}
		r.ContentLength = 5
		res, err := srv.Client().Do(r)
		if err != nil {
			t.Fatalf("HTTP/%d: got error %v, want an answer", version, err)
		}
		_ = res.Body.Close()
		srv.Close()
	}
}

// TestUploadPlacesEdge: 256 files pass through a node at once, and one more is asked to wait.
func TestUploadPlacesEdge(t *testing.T) {
	places := make(uploadPlaces, uploadsAtOnce)
	var last func()
	for i := range 256 {
		free, err := places.take()
		if err != nil {
			t.Fatalf("file %d: got error %v, want none", i, err)
		}
		last = free
	}
	if _, err := places.take(); perch.KindOf(err) != perch.KindQuotaExceeded {
		t.Errorf("one more: got error %v, want kind %s", err, perch.KindQuotaExceeded)
	}
	last()
	if _, err := places.take(); err != nil {
		t.Errorf("after one has ended: got error %v, want none", err)
	}
}

// TestUploadResult: what became of a file is one of UploadResults, and that nothing moved counts before what
// follows from it.
func TestUploadResult(t *testing.T) {
	gone, leave := context.WithCancel(t.Context())
	leave()
	cut := &uploadBody{err: io.ErrUnexpectedEOF}
	refused := perch.Errorf(perch.KindUploadRefused, "507")
	refused.UpstreamStatus = 507
	unreachable := perch.Errorf(perch.KindUploadRefused, "no answer")
	for want, tc := range map[string][]struct {
		ctx  context.Context
		body *uploadBody
		err  error
	}{
		UploadOK:          {{t.Context(), &uploadBody{}, nil}},
		UploadStalled:     {{gone, cut, perch.Wrap(perch.KindUpstreamTimeout, errStalled, "nothing moved")}},
		UploadRefused:     {{t.Context(), &uploadBody{}, refused}},
		UploadAborted:     {{t.Context(), cut, unreachable}, {gone, &uploadBody{}, unreachable}},
		UploadUnreachable: {{t.Context(), &uploadBody{}, unreachable}, {t.Context(), &uploadBody{}, perch.Errorf(perch.KindUpstreamTLS, "expired")}},
	} {
		for i, c := range tc {
			if got := uploadResult(c.ctx, c.body, c.err); got != want || !slices.Contains(UploadResults, got) {
				t.Errorf("%s, %d: got %q, want it, and among %v", want, i, got, UploadResults)
			}
		}
	}
}
