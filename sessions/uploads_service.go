package sessions

import (
	"context"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/ttlmap"
)

const (
	uploadServices    = 1000             // servers whose upload service is remembered
	uploadServiceLife = time.Hour        // how long
	uploadNoneLife    = 5 * time.Minute  // and how long that a server has none
	uploadLookTime    = 15 * time.Second // how long a server may take to say what it has
	uploadLookWait    = time.Second      // how long a login waits for that
)

// uploadKey names a server: what one upstream says of a domain is of no other upstream's.
type uploadKey struct{ upstream, domain string }

// uploadTable is what is known of the upload services of servers. All sessions of a server share what
// one of them has asked.
type uploadTable struct {
	mu       sync.Mutex
	services ttlmap.Map[uploadKey, *uploadLook]
}

// uploadLook is one look at a server.
type uploadLook struct {
	over    chan struct{}
	service perch.UploadService // once it is over
	failed  bool
}

// learn is the service of a server, which conn asks for it unless it is known; the zero value: it has none.
func (t *uploadTable) learn(ctx context.Context, key uploadKey, conn UploadConn) (perch.UploadService, error) {
	for {
		look, first := t.look(key)
		if first {
			return t.ask(ctx, key, look, conn)
		}
		select {
		case <-look.over:
		case <-ctx.Done():
			return perch.UploadService{}, ctx.Err()
		}
		if !look.failed {
			return look.service, nil
		}
	}
}

// look is the last look at a server; first reports whether the caller is to do it.
func (t *uploadTable) look(key uploadKey) (look *uploadLook, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.services.Max = uploadServices
	if look, ok := t.services.Get(key, time.Now()); ok {
		return look, false
	}
	look = &uploadLook{over: make(chan struct{})}
	t.services.Put(key, look, time.Now(), 2*uploadLookTime)
	return look, true
}

// ask does a look. Who waits for one that fails looks anew, on a connection of its own.
func (t *uploadTable) ask(ctx context.Context, key uploadKey, look *uploadLook, conn UploadConn) (perch.UploadService, error) {
	ctx, cancel := context.WithTimeout(ctx, uploadLookTime)
	defer cancel()
	service, err := conn.UploadService(ctx, perch.JID(key.domain))
	t.mu.Lock()
	defer t.mu.Unlock()
	if look.service, look.failed = service, err != nil; look.failed {
		t.services.Delete(key, time.Now())
	} else if service.JID == "" {
		t.services.Put(key, look, time.Now(), uploadNoneLife)
	} else {
		t.services.Put(key, look, time.Now(), uploadServiceLife)
	}
	close(look.over)
	return service, err
}

// known is the service of a server, if it has been looked at; else the zero value.
func (t *uploadTable) known(key uploadKey) perch.UploadService {
	t.mu.Lock()
	defer t.mu.Unlock()
	if look, ok := t.services.Get(key, time.Now()); ok && isClosed(look.over) {
		return look.service
	}
	return perch.UploadService{}
}

// forget lets the next one look anew.
func (t *uploadTable) forget(key uploadKey) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if look, ok := t.services.Get(key, time.Now()); ok && isClosed(look.over) {
		t.services.Delete(key, time.Now())
	}
}

// lookForUploads looks at the server of a login, unless that is known, beside the login. Wait ends when
// it is known, or has taken long enough: then the features of the session have it a little later.
func (lg *login) lookForUploads(ctx context.Context, l *link) (wait func()) {
	conn, ok := l.conn.(UploadConn)
	if !ok || l.login.Capabilities.ChatOnly {
		return func() {}
	}
	looked := make(chan struct{})
	lg.background(func(ctx context.Context) {
		defer close(looked)
		lg.manager.learnUploads(ctx, l.login.JID.Domain(), conn)
	})
	return func() {
		patience := time.NewTimer(uploadLookWait)
		defer patience.Stop()
		select {
		case <-looked:
		case <-patience.C:
		case <-ctx.Done():
		}
	}
}

// learnUploads implements loginManager. It waits no longer for the looks of other sessions than for its own: of
// a server that does not answer each login would wait for the looks of all before it.
func (r registrar) learnUploads(ctx context.Context, domain string, conn UploadConn) {
	ctx, cancel := context.WithTimeout(ctx, uploadLookTime)
	defer cancel()
	if _, err := r.m.uploads.learn(ctx, uploadKey{r.s.cred.upstream.Name, domain}, conn); err != nil {
		r.m.log.Debug("the upload service was not found", "session", r.s.ID().Short(), "error", err)
	}
}
