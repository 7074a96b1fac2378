package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// ErrSuperseded ends an app whose node name a later process has taken, with its sessions. To
// start again would only take them back, and be superseded in turn.
var ErrSuperseded = errors.New("another process runs under the node name and has taken over")

// shortestLease leaves room for a few beats, and for one that is late.
const shortestLease = time.Second

var nodeRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)

// validateNode refuses what would disturb the other nodes.
func (o Options) validateNode() error {
	if o.Node != "" && !nodeRule.MatchString(o.Node) {
		return fmt.Errorf("--node %q must be 1 to 128 of letters, digits and . _ : -", o.Node)
	}
	if o.NodeURL != "" {
		u, err := url.Parse(o.NodeURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			return fmt.Errorf("--node-url must be http://HOST:PORT or https://HOST:PORT of this node's gateway")
		}
	}
	if o.Lease != 0 && o.Lease < shortestLease {
		return fmt.Errorf("--lease must be at least %v", shortestLease)
	}
	if o.RedisURL == "" && (o.Node != "" || o.NodeURL != "") {
		return fmt.Errorf("--node and --node-url are for nodes that share a Redis: give --redis-url too")
	}
	return nil
}

// join makes this process a node among those that share its Redis. In memory it is alone.
func (a *App) join() error {
	if a.o.RedisURL == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeCheckTime)
	defer cancel()
	self, err := a.node()
	if err != nil {
		return err
	}
	if err := a.manager.Join(ctx, self, a.o.Lease); err != nil {
		return explainSecret(err)
	}
	watching, stop := context.WithCancel(context.Background())
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-a.manager.Replaced():
			a.failed <- fmt.Errorf("%w: %s; give each node its own --node", ErrSuperseded, a.nodeName())
		case <-watching.Done():
		}
	})
	a.onStop("watch for a node of the same name", func(context.Context) error {
		stop()
		watch.Wait()
		return nil
	})
	return nil
}

// explainSecret names the setting that an error of the manager is about.
func explainSecret(err error) error {
	if perch.KindOf(err) == perch.KindValidation {
		return fmt.Errorf("--secret: %w", err)
	}
	return fmt.Errorf("--redis-url: %w", err)
}

// node is this process as the others will know it.
func (a *App) node() (sessions.Node, error) {
	at := a.o.NodeURL
	if at == "" {
		scheme := "http"
		if a.o.TLSCert != "" {
			scheme = "https"
		}
		host, port, err := net.SplitHostPort(a.Addr())
		if err != nil {
			return sessions.Node{}, fmt.Errorf("--listen: %w", err)
		}
		if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
			host = hostname()
		}
		at = scheme + "://" + net.JoinHostPort(host, port)
	}
	return sessions.Node{
		ID:  sessions.NodeID(a.nodeName() + "/" + strings.ToLower(rand.Text()[:10])),
		URL: strings.TrimRight(at, "/"),
	}, nil
}

// nodeName is the name that outlives this process: the next one under it takes over at
// once what this one had.
func (a *App) nodeName() string {
	_, port, _ := net.SplitHostPort(a.Addr()) // of a bound listener
	return cmp.Or(a.o.Node, hostname()+":"+port)
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}
