package app

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const (
	exportTime = 5 * time.Second // one batch, retries included
	flushTime  = 3 * time.Second // what Stop waits for the last ones
)

// tracing makes OpenTelemetry traces of routes, XMPP requests and round trips to Redis, and
// sends them to a collector from a goroutine of its own. Nothing waits for it: what the
// collector does not take in time is lost. It uses nothing that is global to the process, so
// that two apps in one do not meet.
type tracing struct {
	tracer    trace.Tracer
	processor sdktrace.SpanProcessor
	exporter  *exporter
	client    *http.Client
}

// buildTracing begins to trace, if the operator wants it; else a.tracing stays nil, and no
// part of the gateway has anything to call.
func (a *App) buildTracing() error {
	if a.o.Tracing.Endpoint == "" {
		return nil
	}
	t, err := newTracing(a.o, a.log.With("component", "tracing"))
	if err != nil {
		return fmt.Errorf("--otel-endpoint: %w", err)
	}
	a.tracing = t
	a.onStop("tracing", t.stop)
	return nil
}

func newTracing(o Options, log *slog.Logger) (*tracing, error) {
	about, err := resource.New(context.Background(),
		resource.WithAttributes(attribute.String("service.name", "perch"), attribute.String("service.version", o.Version),
			attribute.String("service.instance.id", cmp.Or(o.Node, hostname()))),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	t := &tracing{client: &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}} //nolint:forcetypeassert // it is one
	sender, err := otlptracehttp.New(context.Background(),
		otlptracehttp.WithEndpointURL(tracesURL(o.Tracing.Endpoint)), otlptracehttp.WithHTTPClient(t.client),
		otlptracehttp.WithMaxResponseSize(64<<10),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: 500 * time.Millisecond, MaxInterval: 2 * time.Second, MaxElapsedTime: exportTime}))
	if err != nil {
		return nil, err
	}
	t.exporter = newExporter(sender, log)
	t.processor = sdktrace.NewBatchSpanProcessor(t.exporter, sdktrace.WithExportTimeout(exportTime))
	provider := sdktrace.NewTracerProvider(sdktrace.WithResource(about), sdktrace.WithSpanProcessor(t.processor),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(o.Tracing.Sample))))
	t.tracer = provider.Tracer("github.com/perch-im/perch", trace.WithInstrumentationVersion(o.Version))
	return t, nil
}

// tracesURL is where a collector takes traces: the base address and a fixed path, as for
// OTEL_EXPORTER_OTLP_ENDPOINT.
func tracesURL(endpoint string) string {
	const path = "/v1/traces"
	endpoint = strings.TrimRight(endpoint, "/")
	if strings.HasSuffix(endpoint, path) {
		return endpoint
	}
	return endpoint + path
}

// checkEndpoint refuses what is no base address of a collector. Credentials would appear
// in error messages; there are headers for them.
func checkEndpoint(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("--otel-endpoint must be an address such as http://127.0.0.1:4318")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("--otel-endpoint has no user, query or fragment; OTEL_EXPORTER_OTLP_HEADERS may carry a key")
	}
	return nil
}

// stop sends what is left, for a short time, and waits for the end of the goroutine. What
// could not be sent is no failure of the app.
func (t *tracing) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	_ = t.processor.Shutdown(ctx) // the exporter has logged it
	t.exporter.giveUp()
	<-t.exporter.done
	t.client.CloseIdleConnections()
	return nil
}
