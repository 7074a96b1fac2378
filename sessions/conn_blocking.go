package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// BlockingConn is what a Conn may have besides: the block list of the account (XEP-0191). Each method
// waits for the upstream, and is of perch.KindFeatureUnsupported where that has no block list: nothing is sent once
// that is known. What a method fetches or changes arrives by the Sink as a perch.BlockListIn, in its place among
// what other devices change, before the method returns.
type BlockingConn interface {
	// FetchBlockList asks for the whole list; from then on changes by other devices arrive, too.
	FetchBlockList(ctx context.Context) error
	// Block adds an address to the list, if it is not there, and with a report tells the server why.
	Block(ctx context.Context, jid perch.JID, report *perch.Report) error
	// Unblock takes an address off the list; one that is not there is off it.
	Unblock(ctx context.Context, jid perch.JID) error
	// UnblockAll empties the list.
	UnblockAll(ctx context.Context) error
}
