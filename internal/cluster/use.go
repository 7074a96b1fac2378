package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// SignIn signs a user in through nginx, whichever node that takes, and gives a client with
// the token, which goes through nginx too.
func (c *Cluster) SignIn(t testkit.TB, u testkit.User) *testkit.Gateway {
	t.Helper()
	g := testkit.NewGateway(t, c.URL, "")
	a, err := g.Do(context.Background(), http.MethodPost, "/v1/session", map[string]string{"jid": u.JID, "password": u.Password})
	if err != nil || a.Status != http.StatusCreated && a.Status != http.StatusOK {
		t.Fatalf("cluster: signing %s in: %v %d %s", u.JID, err, a.Status, a.Body)
	}
	g.Token = a.JSON(t).Str("token")
	return g
}

// Owner is the node that has the session of a user now, as Redis knows it; it waits until
// there is one. A session whose owner has died keeps its name until another one takes it over.
func (c *Cluster) Owner(t testkit.TB, u testkit.User) *Node {
	t.Helper()
	var owner *Node
	testkit.Eventually(t, 30*time.Second, func() error {
		id, err := c.ownerID(t, u)
		if err != nil {
			return err
		}
		name, _, _ := strings.Cut(id, "/")
		for _, n := range c.Nodes {
			if n.Name == name {
				owner = n
				return nil
			}
		}
		return fmt.Errorf("%q owns the session of %s", id, u.JID)
	})
	return owner
}

// Others are all nodes but this one.
func (c *Cluster) Others(n *Node) []*Node {
	var others []*Node
	for _, other := range c.Nodes {
		if other != n {
			others = append(others, other)
		}
	}
	return others
}

// ownerID reads a session's owner from Redis as redis-cli does: <name>/<incarnation>, or "".
func (c *Cluster) ownerID(t testkit.TB, u testkit.User) (string, error) {
	t.Helper()
	ctx := context.Background()
	client := c.Redis.Client(t)
	defer client.Close()
	keys, err := client.Keys(ctx, "perch:{*}:state").Result()
	if err != nil {
		return "", err
	}
	for _, key := range keys {
		fields, err := client.HGetAll(ctx, key).Result()
		if err != nil {
			return "", err
		}
		var record struct{ JID string }
		if err := json.Unmarshal([]byte(fields["record"]), &record); err == nil && bare(record.JID) == u.JID {
			return fields["owner"], nil
		}
	}
	return "", fmt.Errorf("no session of %s among %d", u.JID, len(keys))
}

func bare(jid string) string {
	before, _, _ := strings.Cut(jid, "/")
	return before
}
