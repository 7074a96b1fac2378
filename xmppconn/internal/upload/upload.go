// Package upload asks the server of an account for slots on the web to which files are uploaded
// (XEP-0363). It has no connection: it asks by a function, and it sends no file.
package upload

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// Ask sends a request and returns the payload of its answer, nil for none. With part the answer may be
// larger than a stanza: part is given its payload, in one or more parts, and the result is nil. An error
// answer is a *perch.Error with XMPP, whose cause is a *stanza.SlotRefusal where the service says more;
// where the upstream takes no files nothing is sent, and the error is of KindFeatureUnsupported.
type Ask func(ctx context.Context, kind, typ string, to perch.JID, payload []byte, part func(*xmlstream.Borrowed)) (*xmlstream.Element, error)

// What a server is asked for its services: how many of those that it names, and how many at once.
const (
	maxServices    = 64
	servicesAtOnce = 8
)

// UploadService is the service that takes files of the accounts of a server: the first one that the server
// names, or the server itself (XEP-0363, 4). It is the zero value where there is none. One that does
// not answer is passed over; the error is its when no other one is found.
func (a Ask) UploadService(ctx context.Context, server perch.JID) (perch.UploadService, error) {
	var all stanza.DirectoryCollector
	if _, err := a(ctx, "disco_items", "get", server, stanza.EncodeDiscoItems(), all.Add); err != nil {
		return perch.UploadService{}, err
	}
	items := all.JIDs()
	items = append(items[:min(len(items), maxServices)], server)
	found, errs := make([]*perch.UploadService, len(items)), make([]error, len(items))
	var wg sync.WaitGroup
	places := make(chan struct{}, servicesAtOnce)
	for i, jid := range items {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			found[i], errs[i] = a.look(ctx, jid)
		})
	}
	wg.Wait()
	var failed error
	for i := range items {
		if found[i] != nil {
			return *found[i], nil
		}
		if failed == nil && perch.ConditionOf(errs[i]) == "" {
			failed = errs[i] // no answer: it may be one
		}
	}
	return perch.UploadService{}, failed
}

// look asks whether jid takes files; nil: it does not.
func (a Ask) look(ctx context.Context, jid perch.JID) (*perch.UploadService, error) {
	info, err := a(ctx, "disco_info", "get", jid, stanza.EncodeDiscoInfo(), nil)
	if err != nil {
		return nil, err
	}
	maxSize, ok := stanza.ParseUploadService(info)
	if !ok {
		return nil, nil
	}
	return &perch.UploadService{JID: jid, MaxSize: maxSize}, nil
}

// UploadSlot asks a service for a slot for a file (XEP-0363, 5). Errors: KindFileTooLarge, with the limit;
// KindQuotaExceeded, with the time to wait where the service names one; KindForbidden; KindXMPP with the
// condition of the service, or without one where its slot cannot be used.
func (a Ask) UploadSlot(ctx context.Context, service perch.JID, f perch.UploadFile) (perch.UploadSlot, error) {
	payload, err := stanza.EncodeSlotRequest(f)
	if err != nil {
		return perch.UploadSlot{}, err
	}
	answer, err := a(ctx, "upload_slot", "get", service, payload, nil)
	if err != nil {
		return perch.UploadSlot{}, refusal(err, time.Now())
	}
	return stanza.ParseSlot(answer)
}

// refusal gives the error of a request the kind that it has for a file.
func refusal(err error, now time.Time) error {
	e, ok := errors.AsType[*perch.Error](err)
	if !ok || e.XMPP == nil {
		return err
	}
	more, said := errors.AsType[*stanza.SlotRefusal](err)
	switch {
	case said && more.TooLarge:
		large := perch.FileTooLarge(more.MaxSize)
		large.XMPP, large.Err = e.XMPP, err
		return large
	case e.XMPP.Condition == "resource-constraint":
		full := &perch.Error{Kind: perch.KindQuotaExceeded, Detail: "the upload service takes no more files of this account for now", XMPP: e.XMPP, Err: err}
		if said && more.Retry != 0 {
			full.RetryAfter = max(more.Retry.Time().Sub(now), time.Second)
		}
		return full
	}
	switch e.XMPP.Condition {
	case "forbidden", "not-allowed", "not-authorized":
		return &perch.Error{Kind: perch.KindForbidden, Detail: "the upload service takes no files of this account", XMPP: e.XMPP, Err: err}
	case "not-acceptable", "bad-request":
		return &perch.Error{Kind: perch.KindValidation, Detail: "the upload service does not take such a file", XMPP: e.XMPP, Err: err,
			Fields: []perch.FieldError{{Pointer: "/name", Detail: "the upload service does not take a file of this name, size and type"}}}
	}
	return err
}
