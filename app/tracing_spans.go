package app

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
)

// The spans. Their attributes have the names of OpenTelemetry's semantic conventions where
// there are any, and their values come from the same small sets of words as the labels of
// metrics: a path, a query, a JID, a token, a body, a key of Redis or the text of an error is
// never among them.

// w3c reads and writes the headers traceparent and tracestate.
var w3c = propagation.TraceContext{}

var _ api.Tracer = (*tracing)(nil)

// Begin implements api.Tracer. A trace of the client's is continued; whether it is kept is then
// the client's decision.
func (t *tracing) Begin(r *http.Request) (context.Context, func(api.Answer)) {
	ctx := w3c.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer))
	return ctx, func(a api.Answer) {
		defer span.End()
		if !span.IsRecording() {
			return
		}
		name := a.Method
		span.SetAttributes(attribute.String("http.request.method", a.Method))
		if a.Route != "" {
			name += " " + a.Route
			span.SetAttributes(attribute.String("http.route", a.Route))
		}
		span.SetName(name)
		if a.Status != 0 {
			span.SetAttributes(attribute.Int("http.response.status_code", a.Status))
		}
		if a.Problem != "" {
			span.SetAttributes(attribute.String("error.type", a.Problem))
		}
		if a.Status == 0 || a.Status >= 500 {
			span.SetStatus(codes.Error, "")
		}
	}
}

// below begins the span of something that a request, or a session by itself, asks others
// for; nil: it is not traced. A request that is not kept has nothing below it, and neither
// has an event stream once it is accepted: its trace would grow for hours.
func (t *tracing) below(ctx context.Context, name string, about ...attribute.KeyValue) (context.Context, trace.Span) {
	if parent := trace.SpanFromContext(ctx); parent.SpanContext().IsValid() && !parent.IsRecording() {
		return ctx, nil
	}
	return t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(about...))
}

// finish ends a span of below. Of an error it says the kind.
func finish(span trace.Span, err error) {
	if err != nil {
		span.SetAttributes(attribute.String("error.type", string(perch.KindOf(err))))
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// iqs follows the XMPP requests on the connections of an upstream; nil without tracing.
func (t *tracing) iqs(upstream string) func(context.Context, string) func(error) {
	if t == nil {
		return nil
	}
	return func(ctx context.Context, kind string) func(error) {
		_, span := t.below(ctx, "xmpp "+kind, attribute.String("perch.upstream", upstream), attribute.String("xmpp.iq.kind", kind))
		if span == nil {
			return nil
		}
		return func(err error) { finish(span, err) }
	}
}

// redis follows the round trips of the store; nil without tracing.
func (t *tracing) redis() func(context.Context, string, int) func(error) {
	if t == nil {
		return nil
	}
	return func(ctx context.Context, op string, n int) func(error) {
		if op == "beat" {
			return nil // one a second from every node, and of no interest
		}
		_, span := t.below(ctx, "redis "+op, attribute.String("db.system.name", "redis"), attribute.String("db.operation.name", op))
		if span == nil {
			return nil
		}
		if n > 1 {
			span.SetAttributes(attribute.Int("db.operation.batch.size", n))
		}
		return func(err error) {
			if err != nil {
				err = perch.Wrap(perch.KindStorageUnavailable, err, "")
			}
			finish(span, err)
		}
	}
}

// nodes takes traces along to other nodes.
func (t *tracing) nodes(next http.RoundTripper) http.RoundTripper { return toNode{t, next} }

type toNode struct {
	t    *tracing
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper. Its span ends with the header of the answer.
func (n toNode) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, span := n.t.below(r.Context(), "forward", attribute.String("http.request.method", r.Method))
	out := r.Clone(ctx)
	w3c.Inject(ctx, propagation.HeaderCarrier(out.Header))
	res, err := n.next.RoundTrip(out)
	if span == nil {
		return res, err
	}
	if err != nil {
		err = perch.Wrap(perch.KindLinkLost, err, "the other node does not answer")
	} else {
		span.SetAttributes(attribute.Int("http.response.status_code", res.StatusCode))
	}
	finish(span, err)
	return res, err
}
