// Command up is `make cluster`: what docker-compose.yml describes, without containers. It
// needs Debian's redis-server, prosody and nginx, and ends everything that it has started
// on Ctrl-C.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/perch-im/perch/internal/cluster"
	"github.com/perch-im/perch/internal/testkit"
)

func main() {
	o := cluster.Options{Build: []string{}}
	server := flag.String("server", "prosody", "the XMPP server: prosody or ejabberd")
	flag.StringVar(&o.Listen, "listen", "127.0.0.1:8080", "address of nginx")
	flag.IntVar(&o.Nodes, "nodes", 2, "how many gateway processes")
	flag.DurationVar(&o.Lease, "lease", 15*time.Second, "how long a node may be silent before the others take its sessions over")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := testkit.Outside(func(t testkit.TB) { up(ctx, t, os.Stdout, o, *server) }); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// up starts everything, says what runs, and looks after the nodes until ctx ends.
func up(ctx context.Context, t testkit.TB, out io.Writer, o cluster.Options, server string) {
	fmt.Fprintln(out, "Building the gateway and starting everything ...")
	switch server {
	case "prosody":
	case "ejabberd":
		o.XMPP = testkit.Ejabberd(t)
	default:
		t.Fatalf("-server %q is neither prosody nor ejabberd", server)
	}
	c := cluster.Start(t, o)
	describe(out, c, o.Lease)
	ended, enter := make(chan *cluster.Node, len(c.Nodes)), make(chan struct{})
	for _, n := range c.Nodes {
		watch(n, ended)
	}
	go readLines(enter)
	down := map[*cluster.Node]bool{}
	for {
		select {
		case <-ctx.Done():
			fmt.Fprintln(out, "\nEnding everything.")
			for _, n := range c.Nodes {
				n.Kill9()
			}
			return
		case n := <-ended:
			down[n] = true
			fmt.Fprintf(out, "  %s has ended (it was %d). Enter starts it again.\n", n.Name, n.PID())
		case <-enter:
			for n := range down {
				n.Start(t)
				watch(n, ended)
				delete(down, n)
				fmt.Fprintf(out, "  %s is back, pid %d.\n", n.Name, n.PID())
			}
		}
	}
}

// watch tells when the process of a node has ended.
func watch(n *cluster.Node, ended chan<- *cluster.Node) {
	end := n.Ended()
	go func() {
		<-end
		ended <- n
	}()
}

// readLines reports each Enter, until standard input ends.
func readLines(enter chan<- struct{}) {
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		enter <- struct{}{}
	}
}
