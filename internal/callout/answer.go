package callout

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/perch-im/perch/internal/dialguard"
)

// Why a request has no answer. They are all that whoever has named the address is told: an error of the
// network would name addresses, and tell what is inside. A name that is not known, and one that leads inside,
// have the same words, so that nobody asks for names of a private network.
var (
	errNotPublic   = errors.New("its name leads to no address that may be called: that is a public one, on port 443, 80 or above 1023")
	errUnreachable = errors.New("it cannot be connected to, or has closed the connection")
	errSlow        = fmt.Errorf("it has not answered within %d seconds", int(AnswerTime.Seconds()))
	errCertificate = errors.New("its certificate is not valid for its name")
	errTLS         = errors.New("TLS failed: it needs TLS 1.2 or newer")
	errStopped     = errors.New("the gateway has ended the request")
)

// failed is the answer where none came.
func failed(ctx context.Context, err error) Answer {
	var (
		network net.Error
		name    *net.DNSError
	)
	switch {
	case errors.Is(err, dialguard.ErrRefused):
		return Answer{Err: errNotPublic, Refused: true}
	case errors.Is(ctx.Err(), context.Canceled):
		return Answer{Err: errStopped}
	case errors.As(err, &name) && name.IsNotFound:
		return Answer{Err: errNotPublic}
	case errors.As(err, &network) && network.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return Answer{Err: errSlow}
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return Answer{Err: errCertificate}
	case errors.As(err, new(tls.RecordHeaderError)), errors.As(err, new(tls.AlertError)):
		return Answer{Err: errTLS}
	}
	return Answer{Err: errUnreachable}
}

// answered judges an answer by its head.
func answered(res *http.Response, now time.Time) Answer {
	a := Answer{Status: res.StatusCode}
	switch text := http.StatusText(res.StatusCode); {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return a
	case res.StatusCode >= 300 && res.StatusCode < 400:
		a.Err = fmt.Errorf("it answered %d and leads to another address, which is not followed", res.StatusCode)
	default:
		a.Err = errors.New(strings.TrimSpace(fmt.Sprintf("it answered %d %s", res.StatusCode, text)))
	}
	a.RetryAfter = retryAfter(res.Header.Get("Retry-After"), now)
	return a
}

// longestWait bounds what a receiver may ask for.
const longestWait = 24 * time.Hour

// retryAfter reads the header of that name (RFC 9110, 10.2.3): seconds, or a date. 0: it asks for nothing that
// can be read.
func retryAfter(text string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		wait = time.Duration(min(n, uint64(longestWait/time.Second))) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), longestWait)
}
