package sessions_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

const uploader = perch.JID("upload.example.net")

// withUploads gives the upstream an upload service for files of at most maxSize bytes.
func withUploads(w *world, maxSize int64) *fakexmpp.UploadData {
	d := &fakexmpp.UploadData{Service: perch.UploadService{JID: uploader, MaxSize: maxSize}}
	n := 0
	d.Slot = func(f perch.UploadFile) (perch.UploadSlot, error) {
		n++
		at := fmt.Sprintf("https://up.test/%d/%s", n, f.Name)
		return perch.UploadSlot{Put: perch.NewSecret(at), Get: at}, nil
	}
	w.up.Edit(func(x *fakexmpp.Data) { x.Uploads = d })
	return d
}

func (w *world) looks(d *fakexmpp.UploadData) (n int) {
	w.up.Edit(func(*fakexmpp.Data) { n = d.Looks })
	return n
}

var cat = perch.UploadFile{Name: "cat.png", Size: 70, Type: "image/png"}

// TestUploadSlot: a session has a slot from the service of its server, and says beforehand that it can.
func TestUploadSlot(t *testing.T) {
	inWorld(t, func(w *world) {
		withUploads(w, 1000)
		se := w.open()
		wantFeature(t, se, sessions.FeatureUploads, true)
		if got, want := se.Info().Uploads, (perch.SessionUploads{MaxSize: 1000, Proxy: perch.UploadProxyOff}); got == nil || *got != want {
			t.Errorf("uploads of the session: got %+v, want %+v", got, want)
		}
		up, err := sessions.UploadsOf(se).Request(w.ctx(), cat)
		must(t, "Request", err)
		if up.Slot.Get != "https://up.test/1/cat.png" || up.MaxSize != 1000 || up.Proxied || up.ProxyOnly || len(up.ID) < 20 || up.ExpiresAt != perch.At(time.Now().Add(5*time.Minute)) {
			t.Errorf("got %+v, want the slot of the service, for five minutes, past the gateway", up)
		}
		if _, _, err := sessions.UploadsOf(se).Begin(w.ctx(), up.ID); perch.KindOf(err) != perch.KindNotFound {
			t.Errorf("without a proxy: got error %v, want kind %s", err, perch.KindNotFound)
		}
	})
}

// TestUploadRefused: what cannot be is refused before anything is sent, and names its field.
func TestUploadRefused(t *testing.T) {
	inWorld(t, func(w *world) {
		d := withUploads(w, 1000)
		slots := 0
		d.Slot = func(perch.UploadFile) (perch.UploadSlot, error) { slots++; return perch.UploadSlot{}, nil }
		se := w.open()
		for name, tc := range map[string]struct {
			file    perch.UploadFile
			pointer string
		}{
			"no name":          {perch.UploadFile{}, "/name"},
			"a long name":      {perch.UploadFile{Name: strings.Repeat("x", 256)}, "/name"},
			"a folder":         {perch.UploadFile{Name: "../cat.png"}, "/name"},
			"another folder":   {perch.UploadFile{Name: `a\cat.png`}, "/name"},
			"a dot":            {perch.UploadFile{Name: ".."}, "/name"},
			"a line break":     {perch.UploadFile{Name: "a\nb"}, "/name"},
			"turned around":    {perch.UploadFile{Name: "a\u202Egnp.exe"}, "/name"},
			"no UTF-8":         {perch.UploadFile{Name: "\xff"}, "/name"},
			"a negative size":  {perch.UploadFile{Name: "a", Size: -1}, "/size"},
			"no type":          {perch.UploadFile{Name: "a", Type: "png"}, "/type"},
			"a type of lines":  {perch.UploadFile{Name: "a", Type: "image/png\r\nX: y"}, "/type"},
			"a long type":      {perch.UploadFile{Name: "a", Type: "image/" + strings.Repeat("x", 122)}, "/type"},
			"one byte too big": {perch.UploadFile{Name: "a", Size: 1001}, "/size"},
		} {
			_, err := sessions.UploadsOf(se).Request(w.ctx(), tc.file)
			e, ok := errors.AsType[*perch.Error](err)
			if !ok || len(e.Fields) != 1 || e.Fields[0].Pointer != tc.pointer || e.Kind == perch.KindFileTooLarge && e.MaxSize != 1000 {
				t.Errorf("%s: got error %v, want one about %s", name, err, tc.pointer)
			}
		}
		if slots != 0 {
			t.Errorf("got %d requests for a slot, want none", slots)
		}
		for _, f := range []perch.UploadFile{{Name: strings.Repeat("x", 255), Size: 1000, Type: "image/" + strings.Repeat("x", 121)}, {Name: "größe 1.txt", Type: "text/plain; charset=utf-8"}} {
			if _, err := sessions.UploadsOf(se).Request(w.ctx(), f); perch.KindOf(err) == perch.KindValidation || slots == 0 {
				t.Errorf("%+v: got error %v, want it to be asked for", f, err)
			}
		}
	})
}

// TestNoUploads: a server without a service, and one that takes chat messages only, are asked for no slot.
func TestNoUploads(t *testing.T) {
	for name, edit := range map[string]func(*fakexmpp.Data){
		"no service":    func(d *fakexmpp.Data) { d.Uploads = nil },
		"messages only": func(d *fakexmpp.Data) { d.Capabilities = perch.Capabilities{ChatOnly: true, Archive: "136"} },
	} {
		inWorld(t, func(w *world) {
			d := withUploads(w, 1000)
			w.up.Edit(edit)
			w.up.Edit(func(x *fakexmpp.Data) {
				x.Refuse = func(method string) error {
					if strings.HasPrefix(method, "Upload") {
						t.Errorf("%s: got the request %s, want none", name, method)
					}
					return nil
				}
			})
			se := w.open()
			wantFeature(t, se, sessions.FeatureUploads, false)
			if _, err := sessions.UploadsOf(se).Request(w.ctx(), cat); perch.KindOf(err) != perch.KindFeatureUnsupported || se.Info().Uploads != nil || w.looks(d) != 0 {
				t.Errorf("%s: got error %v, want kind %s", name, err, perch.KindFeatureUnsupported)
			}
		})
	}
}

// TestUploadServiceIsLookedForOnce: all sessions of a server share what one of them has asked, for an
// hour; that there is none only for five minutes.
func TestUploadServiceIsLookedForOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		d := withUploads(w, 1000)
		_, _, _, err := w.m.SignIn(w.ctx(), password("good"))
		must(t, "SignIn", err)
		se := w.open() // of another upstream: what one says is of no other
		if n := w.looks(d); n != 2 {
			t.Errorf("two upstreams: got %d looks, want 2", n)
		}
		w.lose(linkLost)
		if n := w.looks(d); n != 2 {
			t.Errorf("a second login: got %d looks, want 2", n)
		}
		pass(61 * time.Minute)
		w.up.Edit(func(*fakexmpp.Data) { d.Service = perch.UploadService{} })
		wantUploadKind(t, se, perch.KindFeatureUnsupported)
		if n := w.looks(d); n != 3 {
			t.Errorf("after an hour: got %d looks, want 3", n)
		}
		w.up.Edit(func(*fakexmpp.Data) { d.Service = perch.UploadService{JID: uploader} })
		wantUploadKind(t, se, perch.KindFeatureUnsupported)
		pass(6 * time.Minute)
		wantUploadKind(t, se, "")
		wantFeature(t, se, sessions.FeatureUploads, true)
	})
}

func wantUploadKind(t *testing.T, se *sessions.Session, want perch.Kind) {
	t.Helper()
	_, err := sessions.UploadsOf(se).Request(context.Background(), cat)
	if want == "" && err != nil || want != "" && perch.KindOf(err) != want {
		t.Errorf("Request: got error %v, want kind %q", err, want)
	}
}

// TestUploadServiceThatIsGone: one that does not exist any more is looked for anew by the next request.
func TestUploadServiceThatIsGone(t *testing.T) {
	inWorld(t, func(w *world) {
		d := withUploads(w, 1000)
		se := w.open()
		w.up.Edit(func(*fakexmpp.Data) { d.Service.JID = "files.example.net" })
		wantUploadKind(t, se, perch.KindXMPP) // item-not-found
		wantUploadKind(t, se, "")
	})
}

// TestLoginDoesNotWaitForUploads: a server that does not say what it has delays a login by a second at
// most; who asks for a slot waits, and looks anew when that has failed.
func TestLoginDoesNotWaitForUploads(t *testing.T) {
	inWorld(t, func(w *world) {
		withUploads(w, 1000)
		silent := make(chan struct{})
		w.up.Edit(func(x *fakexmpp.Data) {
			x.Refuse = func(method string) error {
				if method == "UploadService" {
					<-silent
					return perch.Errorf(perch.KindUpstreamTimeout, "no answer")
				}
				return nil
			}
		})
		began := time.Now()
		se := w.open()
		if took := time.Since(began); took != time.Second || se.Info().State != perch.StateOnline {
			t.Errorf("got %s after %v, want it online after a second", se.Info().State, took)
		}
		wantFeature(t, se, sessions.FeatureUploads, false)
		ctx, cancel := context.WithTimeout(w.ctx(), time.Second)
		defer cancel()
		if _, err := sessions.UploadsOf(se).Request(ctx, cat); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("meanwhile: got error %v, want that of the deadline", err)
		}
		w.up.Edit(func(x *fakexmpp.Data) { x.Refuse = nil })
		asked := make(chan error, 1)
		go func() { _, err := sessions.UploadsOf(se).Request(w.ctx(), cat); asked <- err }()
		synctest.Wait()
		close(silent)
		must(t, "Request", <-asked)
		wantFeature(t, se, sessions.FeatureUploads, true)
	})
}

// TestManyLoginsAtASilentServer: each login has gone on after the time of one look, however many there are.
func TestManyLoginsAtASilentServer(t *testing.T) {
	inWorld(t, func(w *world) {
		withUploads(w, 1000)
		looks := 0
		w.up.Edit(func(x *fakexmpp.Data) {
			x.Refuse = func(method string) error {
				if method != "UploadService" {
					return nil
				}
				looks++
				time.Sleep(15 * time.Second)
				return perch.Errorf(perch.KindUpstreamTimeout, "no answer")
			}
		})
		for i := range 8 {
			_, _, _, err := w.m.SignIn(w.ctx(), perch.Account{Upstream: "named", JID: perch.JID(fmt.Sprintf("u%d@example.net", i)), Password: perch.NewSecret("good")})
			must(t, "SignIn", err)
		}
		pass(10 * time.Minute)
		if looks > 2 {
			t.Errorf("got %d looks after one another, want no session to wait for more than one", looks)
		}
	})
}

// TestSlotWithoutTLS: a slot without TLS is of use only where the operator names its host.
func TestSlotWithoutTLS(t *testing.T) {
	for _, tc := range []struct {
		put, get string
		ok       bool
	}{
		{"https://up.test/a", "https://up.test/b", true},
		{"http://127.0.0.1:5280/a", "http://127.0.0.1:5280/b", true},
		{"http://Inside.Test/a", "https://up.test/a", true},
		{"http://up.test/a", "https://up.test/b", false},
		{"https://up.test/a", "http://up.test/b", false},
		{"http://127.0.0.1.up.test/a", "https://up.test/b", false},
		{"ftp://127.0.0.1/a", "https://up.test/b", false},
	} {
		inWorld(t, func(w *world) {
			d := withUploads(w, 0)
			d.Slot = func(perch.UploadFile) (perch.UploadSlot, error) {
				return perch.UploadSlot{Put: perch.NewSecret(tc.put), Get: tc.get}, nil
			}
			_, err := sessions.UploadsOf(w.open()).Request(w.ctx(), cat)
			if tc.ok && err != nil || !tc.ok && perch.KindOf(err) != perch.KindUploadRefused {
				t.Errorf("%s, %s: got error %v, want it taken: %v", tc.put, tc.get, err, tc.ok)
			}
		}, func(o *sessions.Options) { o.Uploads.HTTP = []string{"127.0.0.1", "inside.test"} })
	}
}

// proxied lets files go through the gateway.
func proxied(policy sessions.UploadPolicy) func(*sessions.Options) {
	return func(o *sessions.Options) { o.Uploads = policy }
}

// TestUploadThroughTheGateway: a slot is used once, by one upload of the session at a time, and not for
// ever.
func TestUploadThroughTheGateway(t *testing.T) {
	inWorld(t, func(w *world) {
		withUploads(w, 1000)
		u := sessions.UploadsOf(w.open())
		first, err := u.Request(w.ctx(), cat)
		must(t, "Request", err)
		second, err := u.Request(w.ctx(), cat)
		must(t, "Request", err)
		up, release, err := u.Begin(w.ctx(), first.ID)
		must(t, "Begin", err)
		if up.Slot.Put.Reveal() != first.Slot.Put.Reveal() || up.File != cat || !first.Proxied || first.ProxyOnly || first.ID == second.ID {
			t.Errorf("got %+v, want the slot of %+v", up, first)
		}
		for _, id := range []string{first.ID, second.ID} {
			if _, _, err := u.Begin(w.ctx(), id); perch.KindOf(err) != perch.KindConflict {
				t.Errorf("at the same time: got error %v, want kind %s", err, perch.KindConflict)
			}
		}
		release(false)
		_, release, err = u.Begin(w.ctx(), first.ID) // the service has nothing yet
		must(t, "Begin after a failure", err)
		release(true)
		if _, _, err := u.Begin(w.ctx(), first.ID); perch.KindOf(err) != perch.KindNotFound {
			t.Errorf("after the upload: got error %v, want kind %s", err, perch.KindNotFound)
		}
		pass(5*time.Minute + time.Second)
		if _, _, err := u.Begin(w.ctx(), second.ID); perch.KindOf(err) != perch.KindNotFound {
			t.Errorf("after five minutes: got error %v, want kind %s", err, perch.KindNotFound)
		}
	}, proxied(sessions.UploadPolicy{Proxy: perch.UploadProxyOn}))
}

// TestUploadIsOfItsSession: a slot of one session is none of another.
func TestUploadIsOfItsSession(t *testing.T) {
	inWorld(t, func(w *world) {
		withUploads(w, 1000)
		up, err := sessions.UploadsOf(w.open()).Request(w.ctx(), cat)
		must(t, "Request", err)
		_, other, _, err := w.m.SignIn(w.ctx(), password("good"))
		must(t, "SignIn", err)
		if _, _, err := sessions.UploadsOf(other).Begin(w.ctx(), up.ID); perch.KindOf(err) != perch.KindNotFound {
			t.Errorf("got error %v, want kind %s", err, perch.KindNotFound)
		}
	}, proxied(sessions.UploadPolicy{Proxy: perch.UploadProxyOn}))
}

// TestUploadSlotsEdge: of one session 32 slots are kept, and of one more the oldest goes.
func TestUploadSlotsEdge(t *testing.T) {
	const most = 32
	inWorld(t, func(w *world) {
		withUploads(w, 1000)
		u := sessions.UploadsOf(w.open())
		var ids []string
		begins := func(i int) bool {
			_, release, err := u.Begin(w.ctx(), ids[i])
			if err == nil {
				release(false)
				synctest.Wait()
			}
			return err == nil
		}
		for range most {
			up, err := u.Request(w.ctx(), cat)
			must(t, "Request", err)
			ids = append(ids, up.ID)
			pass(time.Second)
		}
		if slices.Contains([]bool{begins(0), begins(most - 1)}, false) {
			t.Errorf("got a slot missing among %d, want all", most)
		}
		up, err := u.Request(w.ctx(), cat)
		must(t, "Request", err)
		ids = append(ids, up.ID)
		if begins(0) || !begins(1) || !begins(most) {
			t.Errorf("one more: got the wrong slots, want all but the oldest")
		}
	}, proxied(sessions.UploadPolicy{Proxy: perch.UploadProxyOn}))
}

// TestUploadBytesEdge: what is larger than the gateway takes goes past it, and nowhere where that is the
// only way.
func TestUploadBytesEdge(t *testing.T) {
	for _, proxy := range []perch.UploadProxy{perch.UploadProxyOn, perch.UploadProxyOnly} {
		for service, want := range map[int64]int64{0: 100, 50: 50, 1000: 100} {
			inWorld(t, func(w *world) {
				withUploads(w, service)
				se := w.open()
				only := proxy == perch.UploadProxyOnly
				if !only {
					want = service
				}
				if got := se.Info().Uploads; got.MaxSize != want || got.Proxy != proxy {
					t.Errorf("%s, service %d: got %+v, want the limit %d", proxy, service, got, want)
				}
				up, err := sessions.UploadsOf(se).Request(w.ctx(), perch.UploadFile{Name: "a", Size: 100})
				if service == 50 {
					if perch.KindOf(err) != perch.KindFileTooLarge {
						t.Errorf("%s, service %d: got error %v, want kind %s", proxy, service, err, perch.KindFileTooLarge)
					}
					return
				}
				if err != nil || !up.Proxied || up.ProxyOnly != only {
					t.Errorf("%s, service %d: got %+v, %v, want a slot that the gateway takes", proxy, service, up, err)
				}
				up, err = sessions.UploadsOf(se).Request(w.ctx(), perch.UploadFile{Name: "a", Size: 101})
				if only && perch.KindOf(err) != perch.KindFileTooLarge || !only && (err != nil || up.Proxied) {
					t.Errorf("%s, service %d, one byte more: got %+v, %v, want it refused: %v", proxy, service, up, err, only)
				}
			}, proxied(sessions.UploadPolicy{Proxy: proxy, Bytes: 100}))
		}
	}
}
