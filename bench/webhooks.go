package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// The names of what is measured of webhooks.
const (
	nameUnhooked     = "session without a webhook"
	nameOthersBefore = "others beside messages without webhooks"
	nameOthersHooked = "others beside webhooks of a slow receiver"
)

// webhooks measures what the webhooks of many sessions cost when their one receiver is slow: what each keeps,
// how many calls are made at once, and the latency of a message of another session meanwhile, beside
// the same messages without webhooks.
func webhooks(ctx context.Context, l *lab) error {
	warm, count := l.effort.warm, l.effort.webhooks.sessions
	server, ready, err := l.serve(ctx, warm+count, buddiesShared)
	if err != nil {
		return err
	}
	calm, other, err := l.serve(ctx, 1, buddiesShared)
	if err != nil {
		return err
	}
	perch, err := l.gateway(warm+count+1, ready, gatewayOptions{
		upstreams: []upstream{other.upstream("calm")}, flags: []string{"--webhook-allow=127.0.0.1"}})
	if err != nil {
		return err
	}
	defer perch.end()
	h := &hooked{lab: l, server: server, calm: calm, gateway: perch, client: newGatewayClient(perch.url, l.buddies), from: warm, count: count}
	h.receiver = startSlowReceiver(l, l.effort.webhooks.receiver)
	if err := h.weigh(ctx, warm); err != nil {
		return err
	}
	return h.serve(ctx)
}

// hooked is a gateway whose sessions have webhooks at one receiver.
type hooked struct {
	*lab
	server, calm *child
	gateway      *gateway
	client       *gatewayClient
	receiver     *slowReceiver
	from, count  int
	before       []float64 // the latency of the other session without webhooks
}

// weigh weighs the sessions before and after each has a webhook.
func (h *hooked) weigh(ctx context.Context, warm int) error {
	h.note("%d sessions, and then a webhook of each", h.count)
	if err := h.client.openRange(ctx, 0, warm); err != nil {
		return err
	}
	empty, err := h.gateway.weigh(ctx, h.effort.quiet)
	if err != nil {
		return err
	}
	if err := h.client.openRange(ctx, h.from, h.from+h.count); err != nil {
		return err
	}
	opened, err := h.gateway.weigh(ctx, h.effort.quiet)
	if err != nil {
		return err
	}
	h.each(nameUnhooked, "session", "", h.count, empty, opened)
	if h.before, err = h.latencies(ctx); err != nil {
		return err
	}
	told, err := h.gateway.weigh(ctx, h.effort.quiet)
	if err != nil {
		return err
	}
	if err := openAll(ctx, h.from, h.from+h.count, h.put); err != nil {
		return err
	}
	h.client.http.CloseIdleConnections()
	after, err := h.gateway.weigh(ctx, h.effort.quiet)
	if err != nil {
		return err
	}
	h.report.add("a webhook adds, heap", (after.heap-told.heap)/float64(h.count), "bytes/session", "")
	return nil
}

// put gives a session its webhook.
func (h *hooked) put(ctx context.Context, session int) error {
	status, err := h.client.call(ctx, http.MethodPut, loadToken(session), "/v1/webhooks/bench", `{"url":"`+h.receiver.url+`","types":["message.*"]}`)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("webhook of session %d: got %d, want %d", session, status, http.StatusCreated)
	}
	return err
}

// latencies are those of the other session while each session gets messages.
func (h *hooked) latencies(ctx context.Context) (list []float64, err error) {
	watched, err := openWatched(ctx, h.gateway.url)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, watched.close()) }()
	done := make(chan error, 1)
	go func() {
		done <- h.server.traffic(fmt.Sprintf("messages %d %d %d", hookedMessages*h.count, h.count, h.from))
	}()
	list, err = watched.latencies(ctx, h.calm, h.effort.rough)
	return list, errors.Join(err, <-done)
}

// hookedMessages is how many messages each session gets.
const hookedMessages = 3

// serve measures while the calls are made, and until all messages have arrived at the receiver.
func (h *hooked) serve(ctx context.Context) error {
	h.note("%d messages by webhooks, of which each call takes %v", hookedMessages*h.count, h.receiver.takes)
	began := time.Now()
	during, err := h.latencies(ctx)
	if err != nil {
		return err
	}
	rss, err := rssOf(h.gateway.PID())
	if err != nil {
		return err
	}
	if err := h.receiver.await(ctx, hookedMessages*h.count); err != nil {
		return err
	}
	took, r := time.Since(began), h.report
	r.add(nameOthersBefore+" p50", quantile(h.before, 0.50), "ms", "")
	r.add(nameOthersBefore+" p99", quantile(h.before, 0.99), "ms", "")
	r.add(nameOthersHooked+" p50", quantile(during, 0.50), "ms", nameOthersBefore+" p50")
	r.add(nameOthersHooked+" p99", quantile(during, 0.99), "ms", nameOthersBefore+" p99")
	r.add("calls of webhooks at once, at most", float64(h.receiver.calls.most()), "calls", "")
	r.add("connections to the receiver, at most", float64(h.receiver.conns.most()), "connections", "")
	r.add("all messages with the receiver, time", took.Seconds(), "s", "")
	r.add("memory while webhooks wait, resident", rss/float64(h.count), "bytes/session", "")
	return nil
}
