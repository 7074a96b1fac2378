package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// samples are those of one page of /metrics, by name and labels as they stand there.
type samples map[string]float64

// parseSamples reads the text format of Prometheus; what is no sample is left out.
func parseSamples(page []byte) samples {
	s := samples{}
	for sc := bufio.NewScanner(bytes.NewReader(page)); sc.Scan(); {
		line := sc.Text()
		i := strings.LastIndexByte(line, ' ')
		if i <= 0 || line[0] == '#' {
			continue
		}
		if v, err := strconv.ParseFloat(line[i+1:], 64); err == nil {
			s[line[:i]] = v
		}
	}
	return s
}

// get is a sample that has to be there.
func (s samples) get(name string) (float64, error) {
	v, ok := s[name]
	if !ok {
		return 0, fmt.Errorf("/metrics has no %s", name)
	}
	return v, nil
}

// metrics reads /metrics.
func (g *gateway) metrics(ctx context.Context) (samples, error) {
	h := http.Header{"Accept-Encoding": {"identity"}} // a compressor alone is a megabyte
	page, err := request(ctx, http.MethodGet, g.admin+"/metrics", h, nil)
	if err != nil {
		return nil, err
	}
	return parseSamples(page), nil
}

// online is how many sessions are.
func (g *gateway) online(ctx context.Context) (int, error) {
	s, err := g.metrics(ctx)
	if err != nil {
		return 0, err
	}
	v, found := 0.0, false
	for name, n := range s { // of every upstream
		if strings.HasPrefix(name, `perch_sessions{state="online"`) {
			v, found = v+n, true
		}
	}
	if !found {
		return 0, errors.New("/metrics has no perch_sessions of the state online")
	}
	return int(v), nil
}

// awaitOnline waits until n sessions are online.
func (g *gateway) awaitOnline(ctx context.Context, n int, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		online, err := g.online(ctx)
		if err != nil {
			return err
		}
		if online >= n {
			return nil
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("%d of %d sessions are online after %s: %w", online, n, limit, err)
		}
	}
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
