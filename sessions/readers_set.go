package sessions

import (
	"reflect"
	"slices"

	"github.com/perch-im/perch"
)

// visible reports whether a reader is for no conversations but those that a token may see.
func (r *reader) visible(by Access) bool {
	return perch.Grant{Conversations: by.Grant.Conversations}.Covers(perch.Grant{Conversations: r.row.Grant.Conversations})
}

// seen is a reader that a token may see. KindNotFound: there is none.
func (x *readerList) seen(by Access, kind perch.ReaderKind, id string) (*reader, error) {
	if x == nil {
		return nil, errNoSuchReader
	}
	r := x.find(kind, id)
	if r == nil || !r.visible(by) {
		return nil, errNoSuchReader
	}
	return r, nil
}

// set is PutReader in the owner.
func (x *readerList) set(by Access, n NewReader) (made perch.Reader, secret perch.Secret, created bool, err error) {
	r := x.find(n.Kind, n.ID)
	if r != nil && !r.visible(by) {
		return made, secret, false, errOtherReader
	}
	if created = r == nil; created {
		if !x.room(n.Kind) {
			return made, secret, false, errTooMany
		}
		r = x.fresh(n)
	}
	secrets := readerSecrets{URL: n.Target.URL, P256DH: n.Target.P256DH, Auth: n.Target.Auth, Signing: slices.Clone(r.secrets.Signing)}
	if n.Kind == perch.WebhookReader && (n.Rotate || len(secrets.Signing) == 0) {
		secret = newSigningSecret()
		secrets.rotate(secret, x.host.now())
	}
	sealed, err := x.keys.sealReader(x.id, r.row.Key(), secrets)
	if err != nil {
		return made, perch.Secret{}, false, err
	}
	if created {
		i, _ := x.place(r.row.Key())
		x.list = slices.Insert(x.list, i, r)
	}
	x.change(r, by, n, secrets)
	r.row.Sealed = sealed
	x.put(r)
	x.expireLater()
	x.wake(r)
	return r.shown(), secret, created, nil
}

// room reports whether there may be one more of a kind.
func (x *readerList) room(kind perch.ReaderKind) bool {
	most, n := MaxWebhooks, 0
	if kind == perch.PushReader {
		most = MaxPush
	}
	for _, r := range x.list {
		if r.row.Kind == kind {
			n++
		}
	}
	return n < most
}

// fresh is a new reader, with nothing of what was before it.
func (x *readerList) fresh(n NewReader) *reader {
	tip := x.log.tip()
	return &reader{row: StoredReader{Kind: n.Kind, ID: n.ID, Created: x.host.now(), Cursor: tip}, at: tip.Offset}
}

// change has a reader be as it was put anew. Unless it was just so, what is under way is not repeated: the
// next part may have other events.
func (x *readerList) change(r *reader, by Access, n NewReader, secrets readerSecrets) {
	row := &r.row
	if !reflect.DeepEqual(row.Spec, n.Spec) || !reflect.DeepEqual(row.Grant, by.Grant) || r.secrets.target() != n.Target {
		x.cancel(r)
		row.Generation++
		row.Sending = 0
	}
	wasDetached := r.detached()
	row.Spec, row.Grant, row.By = n.Spec, by.Grant, by.ID
	if row.Disabled != "" || row.Next != 0 {
		stop(r.retry)
	}
	row.Disabled = ""
	r.forgive()
	r.secrets, r.filter = secrets, filterOf(row)
	if row.Attached = r.detached() && x.host.watched(); r.detached() && !wasDetached {
		x.begin()
	}
}

// replay moves a cursor. What follows it is delivered again, and is no repeat.
func (x *readerList) replay(r *reader, to uint64) {
	x.rewind(r, to)
	r.row.Generation++
	stop(r.retry)
	r.row.Next = 0
	x.put(r)
	x.wake(r)
}
