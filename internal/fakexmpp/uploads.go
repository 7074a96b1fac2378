package fakexmpp

import (
	"context"

	"github.com/perch-im/perch"
)

// UploadData is an upload service (XEP-0363).
type UploadData struct {
	Service perch.UploadService
	// Slot answers a request for a slot.
	Slot func(f perch.UploadFile) (perch.UploadSlot, error)
	// Looks counts how often the service was looked for.
	Looks int
}

// UploadService implements sessions.UploadConn. Without Data.Uploads there is none, and nothing is asked.
func (c *Conn) UploadService(ctx context.Context, _ perch.JID) (service perch.UploadService, err error) {
	has := false
	c.server.read(func(d *Data) { has = d.Uploads != nil })
	if !has {
		return perch.UploadService{}, nil
	}
	err = c.ask(ctx, "UploadService", func(d *Data) error {
		d.Uploads.Looks++
		service = d.Uploads.Service
		return nil
	})
	return service, err
}

// UploadSlot implements sessions.UploadConn.
func (c *Conn) UploadSlot(ctx context.Context, service perch.JID, f perch.UploadFile) (slot perch.UploadSlot, err error) {
	err = c.ask(ctx, "UploadSlot", func(d *Data) error {
		if d.Uploads == nil || service != d.Uploads.Service.JID {
			return notFound()
		}
		slot, err = d.Uploads.Slot(f)
		return err
	})
	return slot, err
}
