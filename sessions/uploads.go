package sessions

import (
	"context"
	"crypto/rand"
	"mime"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/perch-im/perch"
)

// Uploads are the files that a session puts on the web (XEP-0363). The gateway asks for the slots; the
// bytes go from the client to the upload service, or through the API, and never come here. Its methods
// are safe for concurrent use.
type Uploads struct{ s *Session }

// UploadsOf returns the uploads of a session.
func UploadsOf(s *Session) Uploads { return Uploads{s} }

// UploadPolicy is what the operator says of uploads. The zero value: clients send files to the upload
// service themselves, by https.
type UploadPolicy struct {
	Proxy perch.UploadProxy // "" is UploadProxyOff
	// Bytes of one file that goes through the gateway, at most; DefaultUploadBytes when it is 0.
	Bytes int64
	// HTTP are the hosts whose slots may be without TLS, in lower case and without a port.
	HTTP []string
}

// FeatureUploads is what a session has, among its features, whose server takes files.
const FeatureUploads = "uploads"

// DefaultUploadBytes is the limit of a file that goes through the gateway.
const DefaultUploadBytes = 100 << 20

const (
	maxUploadName = 255 // bytes of the name of a file
	maxUploadType = 127 // of its type: what MIME lets both halves have
)

// Upload is a slot for one file.
type Upload struct {
	ID        string
	Proxied   bool // the file may go through the gateway
	ProxyOnly bool // and no other way
	Slot      perch.UploadSlot
	File      perch.UploadFile
	ExpiresAt perch.Time // when the service need not take it any more
	MaxSize   int64      // of one file, in bytes; 0: not known
}

// Request asks the upload service for a slot for a file. It waits for the service. Errors:
// KindFeatureUnsupported where there is none, and nothing is sent; KindValidation; KindFileTooLarge;
// KindQuotaExceeded and others of the service.
func (u Uploads) Request(ctx context.Context, f perch.UploadFile) (Upload, error) {
	if err := checkUpload(&f); err != nil {
		return Upload{}, err
	}
	conn, key, err := u.conn(ctx)
	if err != nil {
		return Upload{}, err
	}
	service, err := u.s.m.uploads.learn(ctx, key, conn)
	if err != nil {
		return Upload{}, err
	}
	if service.JID == "" {
		return Upload{}, perch.Errorf(perch.KindFeatureUnsupported, "the XMPP server has no upload service")
	}
	policy := u.s.m.settings().Uploads
	up := Upload{File: f, MaxSize: policy.maxSize(service)}
	if up.MaxSize > 0 && f.Size > up.MaxSize {
		return Upload{}, perch.FileTooLarge(up.MaxSize)
	}
	if up.Slot, err = conn.UploadSlot(ctx, service.JID, f); err != nil {
		switch perch.ConditionOf(err) {
		case "service-unavailable", "item-not-found", "remote-server-not-found":
			u.s.m.uploads.forget(key)
		}
		return Upload{}, err
	}
	if err := policy.checkSlot(up.Slot); err != nil {
		return Upload{}, err
	}
	up.ID, up.ExpiresAt = rand.Text(), perch.At(time.Now().Add(slotLife))
	up.Proxied = policy.Proxy != perch.UploadProxyOff && f.Size <= policy.Bytes
	up.ProxyOnly = policy.Proxy == perch.UploadProxyOnly
	if up.Proxied {
		err = u.s.call(ctx, func() { useSlots(u.s).add(up) })
	}
	return up, err
}

// Begin takes the slot of an upload that goes through the gateway, of which a session has one at a
// time; release ends it, and done says that the service has the file. Errors: KindNotFound when there is
// no such slot, or it has expired; KindConflict while another upload is under way.
func (u Uploads) Begin(ctx context.Context, id string) (up Upload, release func(done bool), err error) {
	err = u.s.callErr(ctx, func() error {
		up, err = useSlots(u.s).begin(id)
		return err
	})
	if err != nil {
		return Upload{}, nil, err
	}
	return up, func(done bool) { u.s.post(func() { useSlots(u.s).end(id, done) }) }, nil
}

// conn is the connection of a session, if it can upload, and the name of its service in the table.
func (u Uploads) conn(ctx context.Context) (up UploadConn, key uploadKey, err error) {
	err = u.s.callErr(ctx, func() error {
		conn, err := u.s.conn.requestConn("take files", func(c perch.Capabilities) bool { return !c.ChatOnly })
		if err != nil {
			return err
		}
		var ok bool
		if up, ok = conn.(UploadConn); !ok {
			return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot take files")
		}
		key = uploadKey{u.s.cred.upstream.Name, u.s.state.JID.Domain()}
		return nil
	})
	return up, key, err
}

// checkUpload checks what a client says of a file.
func checkUpload(f *perch.UploadFile) error {
	switch {
	case f.Name == "":
		return perch.Invalid("/name", "is needed: the name of the file")
	case len(f.Name) > maxUploadName || !utf8.ValidString(f.Name):
		return perch.Invalid("/name", "must be at most %d bytes of UTF-8", maxUploadName)
	case f.Name == "." || f.Name == ".." || strings.ContainsAny(f.Name, `/\`) || strings.ContainsFunc(f.Name, unreadable):
		return perch.Invalid("/name", "must be the name of a file, without a folder and without control characters")
	case f.Size < 0:
		return perch.Invalid("/size", "must be the size of the file in bytes")
	}
	if f.Type == "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(f.Type)
	if err != nil || !strings.Contains(media, "/") || len(f.Type) > maxUploadType || strings.ContainsFunc(f.Type, unreadable) {
		return perch.Invalid("/type", "must be a media type of at most %d bytes, such as image/png", maxUploadType)
	}
	return nil
}

// unreadable reports whether a character cannot be seen, or turns the direction of what is read.
func unreadable(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// maxSize is the limit of a file that a client is told; 0: none is known.
func (p UploadPolicy) maxSize(service perch.UploadService) int64 {
	if p.Proxy == perch.UploadProxyOnly && (service.MaxSize == 0 || service.MaxSize > p.Bytes) {
		return p.Bytes
	}
	return service.MaxSize
}

// checkSlot refuses what a client could not use safely: addresses without TLS, but for hosts that the
// operator names.
func (p UploadPolicy) checkSlot(slot perch.UploadSlot) error {
	for _, text := range []string{slot.Put.Reveal(), slot.Get} {
		at, err := url.Parse(text)
		if err != nil || at.Scheme != "https" && (at.Scheme != "http" || !slices.Contains(p.HTTP, strings.ToLower(at.Hostname()))) {
			return perch.Errorf(perch.KindUploadRefused, "the upload service gave an address without TLS: its operator has to give it one, or that of this gateway name the host (--upload-http-host)")
		}
	}
	return nil
}

// uploadsOf are what GET /v1/session says of uploads; nil: nothing is known, or there are none.
func uploadsOf(s *Session) *perch.SessionUploads {
	if s.conn.caps.ChatOnly || s.state.JID == "" {
		return nil
	}
	service := s.m.uploads.known(uploadKey{s.cred.upstream.Name, s.state.JID.Domain()})
	if service.JID == "" {
		return nil
	}
	policy := s.m.settings().Uploads
	return &perch.SessionUploads{MaxSize: policy.maxSize(service), Proxy: policy.Proxy}
}
