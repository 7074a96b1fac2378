// Package cluster runs what docker-compose.yml describes without containers: several
// gateway processes over one Redis, with an XMPP server behind and nginx in front, all on
// loopback. `make cluster` is made of it, and the tests of what only several nodes show.
//
// Everything is used from outside, as an operator and a client do: processes, signals,
// HTTP. The goroutine of the test uses a Cluster; what it started ends with the test.
package cluster

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

// Domain and Users are those of docker-compose.yml; the users are each other's buddies.
const Domain = "perch.test"

// Users of the Prosody that a Cluster starts by itself.
func Users() []testkit.User {
	return []testkit.User{{JID: "alice@" + Domain, Password: "wonderland"}, {JID: "bob@" + Domain, Password: "builder"}}
}

// Options of a Cluster. The zero value is the topology of docker-compose.yml: two nodes,
// Redis with an append-only file, Prosody, and credentials that are kept.
type Options struct {
	Nodes  int           // default 2
	Listen string        // of nginx; default a free port of 127.0.0.1
	Lease  time.Duration // default: the program's own
	Flags  []string      // further ones of every node
	Env    []string      // further variables of every node
	Build  []string      // flags of go build; nil is -race

	// XMPP is a server that runs already; Alice and Bob are then made on its first domain.
	// XMPPAddr is where the nodes reach the server, when that is a proxy.
	XMPP     *testkit.Server
	XMPPAddr string
	// Redis is one that runs already. RedisURL is what the nodes are given, when that is a
	// proxy, Sentinel or a Redis Cluster.
	Redis    *testkit.RedisServer
	RedisURL string

	// ForgetCredentials starts the nodes without PERCH_SECRET_KEY: a session that changes its
	// node then waits for its client's token.
	ForgetCredentials bool
}

// Cluster is what runs.
type Cluster struct {
	URL        string // of nginx, which takes any node
	Nodes      []*Node
	XMPP       *testkit.Server
	Redis      *testkit.RedisServer // nil when Options.RedisURL is all there is
	Nginx      *testkit.NginxServer
	Alice, Bob testkit.User // buddies of each other

	o    Options
	env  []string // of every node
	args []string
}

// Start starts everything and returns when every node takes requests.
func Start(t testkit.TB, o Options) *Cluster {
	t.Helper()
	if o.Nodes == 0 {
		o.Nodes = 2
	}
	if o.Build == nil {
		o.Build = []string{"-race"}
	}
	c := &Cluster{o: o, XMPP: o.XMPP, Redis: o.Redis}
	program := testkit.Build(t, "cmd/api", o.Build...)
	if c.Redis == nil && o.RedisURL == "" {
		c.Redis = testkit.Redis(t, testkit.RedisOptions{AppendOnly: true})
	}
	if c.XMPP == nil {
		c.XMPP = testkit.DeployedProsody(t, Domain, Users()...)
		c.Alice, c.Bob = Users()[0], Users()[1]
	} else {
		c.Alice, c.Bob = c.XMPP.NewUser(t, "alice"), c.XMPP.NewUser(t, "bob")
		c.befriend(t)
	}
	c.settings()
	for i := range o.Nodes {
		c.Nodes = append(c.Nodes, startNode(t, c, fmt.Sprintf("gateway-%d", i+1), program))
	}
	addrs := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		addrs[i] = strings.TrimPrefix(n.URL, "http://")
	}
	c.Nginx = testkit.Nginx(t, testkit.NginxOptions{Listen: o.Listen, Config: func(listen string) string {
		return NginxConfig(t, listen, addrs...)
	}})
	c.URL = "http://" + c.Nginx.Addr
	return c
}

// settings are what the nodes have in common.
func (c *Cluster) settings() {
	o := c.o
	addr, store := o.XMPPAddr, o.RedisURL
	if addr == "" {
		addr = c.XMPP.Addr
	}
	if store == "" {
		store = c.Redis.URL()
	}
	query := url.Values{"name": {c.XMPP.Name}, "domain": {c.XMPP.Domain}, "ca-file": {c.XMPP.CAFile}}
	c.args = append([]string{"--upstream=xmpp://" + addr + "?" + query.Encode(), "--trusted-proxy=127.0.0.1/32"}, o.Flags...)
	if o.Lease != 0 {
		c.args = append(c.args, "--lease="+o.Lease.String())
	}
	c.env = append([]string{"PERCH_REDIS_URL=" + store, "PERCH_SECRET=" + secret()}, o.Env...)
	if !o.ForgetCredentials {
		c.env = append(c.env, "PERCH_SECRET_KEY="+secret())
	}
}

// Lobby is the room that deploy/prosody begins with; "" on another server.
func (c *Cluster) Lobby() string {
	if c.o.XMPP != nil {
		return ""
	}
	return "lobby@rooms." + Domain
}

func secret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	s := hex.EncodeToString(b)
	canary.Note(s)
	return s
}

// befriend makes Alice and Bob buddies by the hand of foreign clients.
func (c *Cluster) befriend(t testkit.TB) {
	t.Helper()
	a, b := c.XMPP.SlixmppFor(t, c.Alice), c.XMPP.SlixmppFor(t, c.Bob)
	a.Presence(t, "", "")
	b.Presence(t, "", "")
	testkit.Befriend(t, a, b)
	a.Close()
	b.Close()
}

// NginxConfig is deploy/nginx.conf, for another address and other nodes (host:port).
func NginxConfig(t testkit.TB, listen string, nodes ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testkit.Root(t), "deploy/nginx.conf"))
	if err != nil {
		t.Fatalf("cluster: %v", err)
	}
	conf := strings.Replace(string(text), "listen 8080;", "listen "+listen+";", 1)
	for i := range nodes {
		name := fmt.Sprintf("server gateway-%d:8080 ", i+1)
		if line, end, ok := strings.Cut(conf, name); ok {
			conf = line + "server " + nodes[i] + " " + end
		} else { // more than the file has: one like the last
			last := "server " + nodes[i-1] + " "
			conf = strings.Replace(conf, last, "server "+nodes[i]+" max_fails=0;\n        "+last, 1)
		}
	}
	return conf
}
