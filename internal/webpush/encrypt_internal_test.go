package webpush

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/testkit"
)

// The example of RFC 8291, 5 and Appendix A.
const (
	rfcPlain    = "When I grow up, I want to be a watermelon"
	rfcAuth     = "BTBZMqHH6r4Tts7J_aSIgg"
	rfcReceiver = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
	rfcP256DH   = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
	rfcSender   = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
	rfcSalt     = "DGv6ra1nlYgDCS1FRnbzlw"
	rfcBody     = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)

func raw(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatalf("DecodeString(%q): got error %v, want none", text, err)
	}
	return b
}

// TestSealVector: what is encrypted is byte for byte that of RFC 8291, and the service of the tests reads it.
func TestSealVector(t *testing.T) {
	to, err := newSubscription(perch.ReaderTarget{P256DH: rfcP256DH, Auth: rfcAuth})
	if err != nil {
		t.Fatalf("newSubscription: got error %v, want none", err)
	}
	sender, err := ecdh.P256().NewPrivateKey(raw(t, rfcSender))
	if err != nil {
		t.Fatalf("NewPrivateKey: got error %v, want none", err)
	}
	body, err := seal([]byte(rfcPlain), len(rfcPlain), to, sender, raw(t, rfcSalt))
	if got := base64.RawURLEncoding.EncodeToString(body); err != nil || got != rfcBody {
		t.Errorf("seal: got %s, error %v, want %s, none", got, err, rfcBody)
	}
	device, err := ecdh.P256().NewPrivateKey(raw(t, rfcReceiver))
	if err != nil {
		t.Fatalf("NewPrivateKey: got error %v, want none", err)
	}
	if got, err := testkit.DecryptPush(raw(t, rfcBody), device, raw(t, rfcAuth)); err != nil || string(got) != rfcPlain {
		t.Errorf("DecryptPush: got %q, error %v, want %q, none", got, err, rfcPlain)
	}
}

// TestEncryptLengths: every length fits into what push services must take, is read as it was, and is hidden in
// steps; no two messages are alike.
func TestEncryptLengths(t *testing.T) {
	device, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatalf("GenerateKey: got error %v, want none", err)
	}
	to := subscription{key: device.PublicKey(), auth: raw(t, rfcAuth)}
	sizes := map[int]bool{}
	for _, n := range []int{0, 1, 254, 255, 256, 257, 3839, 3840, 3841, MaxPlain - 1, MaxPlain} {
		plain := []byte(strings.Repeat("x", n))
		one, err := encrypt(plain, to)
		if err != nil || len(one) > recordSize {
			t.Fatalf("encrypt of %d bytes: got %d bytes, error %v, want at most %d, none", n, len(one), err, recordSize)
		}
		sizes[len(one)] = true
		if got, err := testkit.DecryptPush(one, device, to.auth); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: got %d back, error %v, want as many, none", n, len(got), err)
		}
		if two, _ := encrypt(plain, to); bytes.Equal(one, two) {
			t.Errorf("%d bytes: got the same message twice, want another key and salt", n)
		}
	}
	if len(sizes) != 4 {
		t.Errorf("got %d sizes of messages, want 4: lengths are padded", len(sizes))
	}
	if len(raw(t, rfcBody)) != headSize+len(rfcPlain)+1+tagSize {
		t.Errorf("got another size for the example of the RFC, want %d bytes", headSize+len(rfcPlain)+1+tagSize)
	}
}

// TestSubscriptionKeys: only what a browser gives is taken, with padding or without.
func TestSubscriptionKeys(t *testing.T) {
	off := raw(t, rfcP256DH)
	off[64] ^= 1
	encode := base64.RawURLEncoding.EncodeToString
	for name, c := range map[string]struct{ p256dh, auth, field string }{
		"as browsers give it":   {rfcP256DH, rfcAuth, ""},
		"with padding":          {base64.URLEncoding.EncodeToString(raw(t, rfcP256DH)), base64.URLEncoding.EncodeToString(raw(t, rfcAuth)), ""},
		"no point of the curve": {encode(off), rfcAuth, "/keys/p256dh"},
		"all zeros":             {encode(make([]byte, 65)), rfcAuth, "/keys/p256dh"},
		"the point at infinity": {"AA", rfcAuth, "/keys/p256dh"},
		"a compressed point":    {encode(append([]byte{2}, raw(t, rfcP256DH)[1:33]...)), rfcAuth, "/keys/p256dh"},
		"too short":             {rfcP256DH[:80], rfcAuth, "/keys/p256dh"},
		"nothing":               {"", rfcAuth, "/keys/p256dh"},
		"standard base64":       {base64.RawStdEncoding.EncodeToString(raw(t, rfcP256DH)), rfcAuth, "/keys/p256dh"},
		"a line end in it":      {rfcP256DH[:40] + "\n" + rfcP256DH[40:], rfcAuth, "/keys/p256dh"},
		"very long":             {strings.Repeat("A", 1<<20), rfcAuth, "/keys/p256dh"},
		"no secret":             {rfcP256DH, "", "/keys/auth"},
		"a short secret":        {rfcP256DH, encode(make([]byte, 15)), "/keys/auth"},
		"a long secret":         {rfcP256DH, encode(make([]byte, 17)), "/keys/auth"},
		"a secret of no base64": {rfcP256DH, "§§§", "/keys/auth"},
	} {
		_, err := newSubscription(perch.ReaderTarget{P256DH: c.p256dh, Auth: c.auth})
		if got := field(err); got != c.field {
			t.Errorf("%s: got an error about %q, want %q", name, got, c.field)
		}
	}
}

// field is the one that an error is about.
func field(err error) string {
	e, ok := err.(*perch.Error)
	if !ok || len(e.Fields) != 1 {
		return ""
	}
	return e.Fields[0].Pointer
}

// FuzzSubscription: no keys of a client do harm, and those that are taken can be encrypted for.
func FuzzSubscription(f *testing.F) {
	f.Add(rfcP256DH, rfcAuth)
	f.Add(rfcP256DH+"=", rfcAuth+"==")
	f.Fuzz(func(t *testing.T, p256dh, auth string) {
		to, err := newSubscription(perch.ReaderTarget{P256DH: p256dh, Auth: auth})
		if err != nil {
			return
		}
		if body, err := encrypt([]byte("x"), to); err != nil || len(body) > recordSize {
			t.Errorf("encrypt for %q: got %d bytes, error %v, want a message, none", p256dh, len(body), err)
		}
		if got := to.topic("a@a.test"); len(got) != 32 {
			t.Errorf("topic: got %q, want 32 characters", got)
		}
	})
}
