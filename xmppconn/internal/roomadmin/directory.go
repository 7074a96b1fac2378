package roomadmin

import (
	"context"
	"sync"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// What a server is asked for its services: how many of those that it names, and how many at once.
const (
	maxServices    = 64
	servicesAtOnce = 8
)

// Directory is a page of the public rooms of a service (XEP-0045, 6.3), of at most limit rooms, behind
// what an earlier page had for Next. Of a service that knows no pages the whole list is fetched, and
// the page cut from it.
func (a *Admin) Directory(ctx context.Context, service perch.JID, limit int, after string) (perch.DirectoryPage, error) {
	payload, err := stanza.EncodeDirectory(limit, after)
	if err != nil {
		return perch.DirectoryPage{}, err
	}
	var all stanza.DirectoryCollector
	if _, err := a.ask(ctx, "directory", "get", service, payload, all.Add); err != nil {
		return perch.DirectoryPage{}, Refusal(err)
	}
	return all.Page(limit, after), nil
}

// RoomServices are the services with rooms of the account's server (XEP-0045, 6.1), in its order. One
// that does not answer is left out; the error is that of one when none is left.
func (a *Admin) RoomServices(ctx context.Context) ([]perch.JID, error) {
	var all stanza.DirectoryCollector
	if _, err := a.ask(ctx, "disco_items", "get", a.server(), stanza.EncodeDiscoItems(), all.Add); err != nil {
		return nil, err
	}
	items := all.JIDs()
	items = items[:min(len(items), maxServices)]
	infos, errs := make([]*xmlstream.Element, len(items)), make([]error, len(items))
	var wg sync.WaitGroup
	slots := make(chan struct{}, servicesAtOnce)
	for i, jid := range items {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			infos[i], errs[i] = a.ask(ctx, "disco_info", "get", jid, stanza.EncodeDiscoInfo(), nil)
		})
	}
	wg.Wait()
	services := []perch.JID{}
	var failed error
	for i, jid := range items {
		if stanza.IsRoomService(infos[i]) {
			services = append(services, jid)
		} else if failed == nil && perch.ConditionOf(errs[i]) == "" {
			failed = errs[i] // no answer: it may be one
		}
	}
	if len(services) > 0 {
		failed = nil
	}
	return services, failed
}
