package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// UploadConn is what a Conn may have besides: slots on the web for files (XEP-0363). On a service that
// takes chat messages only both are of perch.KindFeatureUnsupported, and nothing is sent.
type UploadConn interface {
	// UploadService is what a server, that of the account, takes files by; the zero value: by nothing.
	UploadService(ctx context.Context, server perch.JID) (perch.UploadService, error)
	// UploadSlot asks a service for a slot for a file. Errors: perch.KindFileTooLarge with the limit,
	// perch.KindQuotaExceeded, perch.KindForbidden, perch.KindXMPP.
	UploadSlot(ctx context.Context, service perch.JID, f perch.UploadFile) (perch.UploadSlot, error)
}
