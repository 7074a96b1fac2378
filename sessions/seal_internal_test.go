package sessions

import (
	"bytes"
	"testing"

	"github.com/perch-im/perch"
)

func sealerOf(t testing.TB, keys ...byte) *sealer {
	var list [][]byte
	for _, k := range keys {
		list = append(list, bytes.Repeat([]byte{k}, 32))
	}
	s, err := newSealer(list)
	if err != nil {
		t.Fatalf("newSealer: got error %v, want none", err)
	}
	return s
}

func TestSeal(t *testing.T) {
	acc := perch.Account{Upstream: "u", JID: "a@b", Password: perch.NewSecret("pass word"), Mechanism: "PLAIN", Resource: "r"}
	old, both := sealerOf(t, 1), sealerOf(t, 2, 1)
	box := old.seal("id", acc, 7)
	if bytes.Contains(box, []byte("pass word")) || bytes.Equal(box, old.seal("id", acc, 7)) {
		t.Error("seal: got the password in plain or one nonce twice, want neither")
	}
	if got, at, ok := both.open("id", box); !ok || got != acc || at != 7 {
		t.Errorf("open: got %+v, %v, %v, want %+v, 7, true", got, at, ok, acc)
	}
	if _, _, ok := both.open("another", box); ok {
		t.Error("open for another session: got true, want false")
	}
	if _, _, ok := old.open("id", both.seal("id", acc, 7)); ok {
		t.Error("open by the old key: got true, want false: the first key seals")
	}
	for i := range box {
		bad := bytes.Clone(box)
		bad[i] ^= 1
		if _, _, ok := old.open("id", bad); ok {
			t.Fatalf("open with a bit changed in byte %d: got true, want false", i)
		}
	}
	if (&sealer{}).seal("id", acc, 0) != nil {
		t.Error("seal without a key: got a box, want nil")
	}
}

func FuzzSealOpen(f *testing.F) {
	s := sealerOf(f, 1)
	f.Add(s.seal("id", perch.Account{Upstream: "u", Token: perch.NewSecret("t")}, 1))
	f.Add([]byte{})
	f.Add([]byte{0})
	f.Fuzz(func(_ *testing.T, b []byte) { s.open("id", b) })
}
