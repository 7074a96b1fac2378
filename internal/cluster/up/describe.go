package main

import (
	"fmt"
	"io"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/perch-im/perch/internal/cluster"
)

// describe prints what runs where, and what to try. The lines work as they are pasted.
func describe(out io.Writer, c *cluster.Cluster, lease time.Duration) {
	fmt.Fprintf(out, "\nPerch: %d nodes over one Redis, behind nginx\n\n", len(c.Nodes))
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintf(w, "  nginx\t%s\tpid %d\tany node, no stickiness; the console, in a browser\n", c.URL, c.Nginx.PID())
	for _, n := range c.Nodes {
		fmt.Fprintf(w, "  %s\t%s\tpid %d\tadmin %s\n", n.Name, n.URL, n.PID(), n.Admin)
		fmt.Fprintf(w, "\t\t\tlog %s\n", n.LogFile())
	}
	fmt.Fprintf(w, "  redis\t%s\tpid %d\tredis-cli -u %s\n", c.Redis.URL(), c.Redis.PID(), c.Redis.URL())
	fmt.Fprintf(w, "  %s\txmpp://%s\tpid %d\tdomain %s\n", c.XMPP.Name, c.XMPP.Addr, c.XMPP.PID(), c.XMPP.Domain)
	fmt.Fprintf(w, "\t\t\tlog %s\n", c.XMPP.LogFile())
	_ = w.Flush()

	fmt.Fprintf(out, "\nSign in (two users, each other's buddies); the answer has the token for everything else:\n\n  export U=%s\n", c.URL)
	for _, u := range []struct{ name, jid, password string }{{"A", c.Alice.JID, c.Alice.Password}, {"B", c.Bob.JID, c.Bob.Password}} {
		fmt.Fprintf(out, "  export %s=\"Authorization: Bearer $(curl -s -H 'Content-Type: application/json' -d '{\"jid\":\"%s\",\"password\":\"%s\"}' $U/v1/session | sed 's/.*\"token\":\"\\([^\"]*\\)\".*/\\1/')\"\n", u.name, u.jid, u.password)
	}
	fmt.Fprintf(out, "\nBob's events here, and a message to him from another terminal, where U and A are set too:\n\n"+
		"  curl -N -H \"$B\" -H 'Accept: application/x-ndjson' $U/v1/events\n"+
		"  curl -H \"$A\" -H 'Content-Type: application/json' -d '{\"to\":\"%s\",\"body\":\"Hello!\"}' $U/v1/messages\n", c.Bob.JID)

	if lobby := c.Lobby(); lobby != "" {
		path := url.PathEscape(lobby) + "?wait=joined"
		fmt.Fprintf(out, "\nMeet in a room, %s: in the console by \"Join or make a room\", or\n\n"+
			"  curl -X PUT -H \"$B\" $U/v1/rooms/%s\n"+
			"  curl -X PUT -H \"$A\" $U/v1/rooms/%s\n"+
			"  curl -H \"$A\" -H 'Content-Type: application/json' -d '{\"to\":\"%s\",\"body\":\"Hello all!\"}' $U/v1/messages\n", lobby, path, path, lobby)
	}

	fmt.Fprintf(out, "\nTake a node away:\n\n")
	for i, n := range c.Nodes {
		if i == len(c.Nodes)-1 {
			fmt.Fprintf(out, "  kill %-9d# %s drains: its sessions move, its streams are asked to reconnect\n", n.PID(), n.Name)
		} else {
			fmt.Fprintf(out, "  kill -9 %-6d# %s dies: after %s the others have its sessions\n", n.PID(), n.Name, lease)
		}
	}
	fmt.Fprint(out, "\nStop with Ctrl-C; it ends everything.\n\n")
}
