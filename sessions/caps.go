package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// caps counts the sessions of this node by account and by the client address that opened
// them, so that none of either takes all of them. It is guarded by the Manager's mutex.
type caps struct {
	accounts  map[string]int // by accountName
	addresses map[string]int
}

type addressKey struct{}

// FromAddress notes the client address (or what stands for it) on whose behalf sessions are
// opened. Without one a session counts for no address.
func FromAddress(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, addressKey{}, address)
}

func addressFrom(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	return address
}

// accountName is what the sessions of one account have in common.
func accountName(upstream string, jid perch.JID) string {
	return upstream + "\x00" + string(normalized(jid.Bare()))
}

func drop(counts map[string]int, name string) {
	if counts[name]--; counts[name] <= 0 {
		delete(counts, name)
	}
}
