package today

import (
	"fmt"
	"testing"
	"time"
)

func TestOldestFilesGo(t *testing.T) {
	x := quiet(t, func([]byte) {})
	u := newUploads(x.s)
	for i := range 5 { // each a quarter of all
		if u.keepFile(x.acct, fmt.Sprint("key-", i), fmt.Sprint(i), "image/png", make([]byte, maxUploadBytes/4)) == "" {
			t.Fatalf("file %d: got no room, want that of the oldest", i)
		}
	}
	if len(u.order) != 4 || u.order[0].name != "1" || u.bytes != maxUploadBytes {
		t.Errorf("got %d files from %s of %d bytes, want 4 from 1", len(u.order), u.order[0].name, u.bytes)
	}
	for i := range maxUploads + 5 {
		u.keepFile(x.acct, fmt.Sprint("small-", i), "small", "text/plain", nil)
	}
	if len(u.order) != maxUploads || len(u.files) != maxUploads || u.bytes != 0 {
		t.Errorf("got %d files of %d bytes, want %d of none", len(u.order), u.bytes, maxUploads)
	}
}

func TestSlotsExpire(t *testing.T) {
	x := quiet(t, func([]byte) {})
	u := newUploads(x.s)
	for i, f := range []*file{
		{name: "old", size: 1, at: time.Now().Add(-slotTime - time.Second)},
		{name: "on its way", size: 1, at: time.Now().Add(-slotTime - time.Second), taken: true},
		{name: "a file", size: 1, at: time.Now().Add(-time.Hour), taken: true, done: true},
		{name: "new", size: 1, at: time.Now()},
	} {
		f.key = fmt.Sprint(i)
		u.files[f.key], u.order, u.bytes = f, append(u.order, f), u.bytes+f.size
	}
	u.expire()
	if len(u.order) != 3 || u.order[0].name != "on its way" || u.files["0"] != nil || u.bytes != 3 {
		t.Errorf("got %d left, of %d bytes, want all but the old slot", len(u.order), u.bytes)
	}
}

// TestSlotsInUseStay: what is full of open slots gives no more.
func TestSlotsInUseStay(t *testing.T) {
	x := quiet(t, func([]byte) {})
	u := newUploads(x.s)
	for i := range 5 {
		f := &file{key: fmt.Sprint(i), size: maxUploadBytes / 4, owner: &account{}, at: time.Now()}
		if got, want := u.add(f), i < 4; got != want {
			t.Errorf("slot %d: got room %v, want %v", i, got, want)
		}
	}
}

func FuzzSlot(f *testing.F) {
	for _, s := range []string{
		"<request xmlns='urn:xmpp:http:upload:0' filename='a.png' size='70' content-type='image/png'/>",
		"<request xmlns='urn:xmpp:http:upload:0' filename='../a&#10;b' size='9223372036854775807' content-type='text/plain; charset=&quot;a&#10;&quot;'/>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e := element(raw)
		if e == nil {
			return
		}
		got, condition := parseSlot(e)
		if condition == "" && (got.size < 0 || got.size > maxUpload || got.name == "" || len(got.name) > maxFileName) {
			t.Errorf("got %+v, want a file in the bounds", got)
		}
		x := quiet(t, func(b []byte) {
			if err := wellFormed(b); err != nil {
				t.Errorf("got %v, want a stanza", err)
			}
		})
		newUploads(x.s).stanza(x, requestOf("get", "upload.perch.localhost", e))
	})
}
