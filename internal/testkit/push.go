package testkit

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// PushService stands for the push services of browsers and for distributors of UnifiedPush (RFC 8030): it
// holds each message against the signature of its sender (RFC 8292), and decrypts it as the device would
// (RFC 8291).
type PushService struct {
	URL   string
	Roots *x509.CertPool // of its certificate

	answer func(m PushMessage) PushAnswer
	mu     sync.Mutex
	subs   map[string]*PushSubscription // by the path of the endpoint
	got    chan PushMessage
}

// PushSubscription is one of a PushService, with the keys of its device.
type PushSubscription struct {
	Endpoint, P256DH, Auth string
	ServerKey              string // the one key that may send to it, base64url; "": any

	device *ecdh.PrivateKey
	auth   []byte
}

// PushMessage is a message that was taken, or refused by an answer of the test.
type PushMessage struct {
	Subscription        *PushSubscription
	TTL, Urgency, Topic string
	Contact             string // sub of the signature
	ServerKey           string // that has signed
	Size                int    // of the body
	Plain               []byte // without padding
}

// PushAnswer is what the service says. The zero value is 201.
type PushAnswer struct {
	Status     int
	RetryAfter string
}

// NewPushService starts a service on TLS that takes every valid message, unless answer, which may be nil,
// says otherwise. One that is not valid fails the test.
func NewPushService(t testing.TB, answer func(PushMessage) PushAnswer) *PushService {
	s := newPushService(answer)
	server := httptest.NewTLSServer(s.handler(t))
	t.Cleanup(server.Close)
	s.URL, s.Roots = server.URL, x509.NewCertPool()
	s.Roots.AddCert(server.Certificate())
	return s
}

// NewPlainPushService is NewPushService without TLS, for gateways that are separate programs.
func NewPlainPushService(t testing.TB, answer func(PushMessage) PushAnswer) *PushService {
	s := newPushService(answer)
	server := httptest.NewServer(s.handler(t))
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

func newPushService(answer func(PushMessage) PushAnswer) *PushService {
	if answer == nil {
		answer = func(PushMessage) PushAnswer { return PushAnswer{} }
	}
	return &PushService{answer: answer, subs: map[string]*PushSubscription{}, got: make(chan PushMessage, 1000)}
}

// Subscribe makes a subscription, as the browser of a device does.
func (s *PushService) Subscribe(t testing.TB, name, serverKey string) *PushSubscription {
	t.Helper()
	device, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatalf("GenerateKey: got error %v, want none", err)
	}
	x := &PushSubscription{Endpoint: s.URL + "/push/" + name, ServerKey: serverKey, device: device, auth: make([]byte, 16)}
	rand.Read(x.auth)
	x.P256DH = base64.RawURLEncoding.EncodeToString(device.PublicKey().Bytes())
	x.Auth = base64.RawURLEncoding.EncodeToString(x.auth)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subs["/push/"+name] = x
	return x
}

// Unsubscribe ends a subscription: messages are answered with 410.
func (s *PushService) Unsubscribe(x *PushSubscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.subs, strings.TrimPrefix(x.Endpoint, s.URL))
}

// Messages has those that came, in their order.
func (s *PushService) Messages() <-chan PushMessage { return s.got }

// Next waits for the next message.
func (s *PushService) Next(t testing.TB) PushMessage {
	t.Helper()
	select {
	case m := <-s.got:
		return m
	case <-time.After(20 * time.Second):
		t.Fatal("no push message came within 20 s, want one")
		return PushMessage{}
	}
}

func (s *PushService) handler(t testing.TB) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		x := s.subs[r.URL.Path]
		s.mu.Unlock()
		if x == nil {
			w.WriteHeader(http.StatusGone)
			return
		}
		m, status, err := x.receive(r, s.URL)
		if err != nil {
			if status == 0 {
				t.Errorf("a push message: got %v, want a valid one", err)
				status = http.StatusBadRequest
			}
			http.Error(w, err.Error(), status)
			return
		}
		a := s.answer(m)
		s.got <- m
		if a.RetryAfter != "" {
			w.Header().Set("Retry-After", a.RetryAfter)
		}
		if a.Status == 0 {
			a.Status = http.StatusCreated
			w.Header().Set("Location", s.URL+"/message/1")
		}
		w.WriteHeader(a.Status)
	})
}

// receive reads a message; a status is what a push service answers by itself.
func (x *PushSubscription) receive(r *http.Request, origin string) (m PushMessage, status int, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return m, http.StatusBadRequest, err
	}
	m = PushMessage{Subscription: x, TTL: r.Header.Get("TTL"), Urgency: r.Header.Get("Urgency"), Topic: r.Header.Get("Topic"), Size: len(body)}
	switch {
	case r.Method != http.MethodPost || r.Header.Get("Content-Encoding") != "aes128gcm" || m.TTL == "":
		return m, 0, fmt.Errorf("%s with %v", r.Method, r.Header)
	case len(body) > 4096:
		return m, 0, fmt.Errorf("%d bytes, and push services need not take more than 4096", len(body))
	case len(m.Topic) > 32 || strings.Trim(m.Topic, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "":
		return m, 0, fmt.Errorf("the topic %q", m.Topic)
	}
	if m.Contact, m.ServerKey, err = VerifyVAPID(r.Header.Get("Authorization"), origin, time.Now()); err != nil {
		return m, 0, err
	}
	if x.ServerKey != "" && m.ServerKey != x.ServerKey {
		return m, http.StatusForbidden, errors.New("another key than that of the subscription")
	}
	m.Plain, err = DecryptPush(body, x.device, x.auth)
	return m, 0, err
}

// VerifyVAPID checks a header field of RFC 8292, 3, and returns the contact and the key in it.
func VerifyVAPID(header, origin string, now time.Time) (contact, key string, err error) {
	rest, ok := strings.CutPrefix(header, "vapid t=")
	token, key, ok2 := strings.Cut(rest, ", k=")
	parts := strings.Split(token, ".")
	if !ok || !ok2 || len(parts) != 3 {
		return "", "", errors.New("no signature of VAPID")
	}
	var head struct{ Typ, Alg string }
	var claims struct {
		Aud, Sub string
		Exp      int64
	}
	if err := errors.Join(decodeJSON64(parts[0], &head), decodeJSON64(parts[1], &claims)); err != nil {
		return "", "", err
	}
	point, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil {
		return "", "", err
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return "", "", err
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(sig) != 64 {
		return "", "", errors.New("a signature of another length than 64 bytes")
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		return "", "", errors.New("a signature by another key")
	}
	left := time.Unix(claims.Exp, 0).Sub(now)
	if head.Alg != "ES256" || claims.Aud != origin || left <= 0 || left > 24*time.Hour {
		return "", "", fmt.Errorf("a signature with %+v %+v, for %s", head, claims, origin)
	}
	if u, err := url.Parse(claims.Sub); err != nil || u.Scheme != "mailto" && u.Scheme != "https" {
		return "", "", fmt.Errorf("the contact %q", claims.Sub)
	}
	return claims.Sub, key, nil
}

func decodeJSON64(text string, v any) error {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, v)
}

// DecryptPush reads a message of one record as its device does (RFC 8188, RFC 8291).
func DecryptPush(body []byte, device *ecdh.PrivateKey, auth []byte) ([]byte, error) {
	if len(body) < 21 || len(body) < 21+int(body[20]) {
		return nil, errors.New("shorter than its head")
	}
	salt, size, idLen := body[:16], binary.BigEndian.Uint32(body[16:]), int(body[20])
	record := body[21+idLen:]
	if uint32(len(record)) > size {
		return nil, errors.New("more than one record")
	}
	sender, err := ecdh.P256().NewPublicKey(body[21 : 21+idLen])
	if err != nil {
		return nil, err
	}
	shared, err := device.ECDH(sender)
	if err != nil {
		return nil, err
	}
	derive := func(secret, salt []byte, info string, n int) []byte {
		key, derr := hkdf.Key(sha256.New, secret, salt, info, n)
		err = errors.Join(err, derr)
		return key
	}
	input := derive(shared, auth, "WebPush: info\x00"+string(device.PublicKey().Bytes())+string(sender.Bytes()), 32)
	key, nonce := derive(input, salt, "Content-Encoding: aes128gcm\x00", 16), derive(input, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nonce, record, nil)
	if err != nil {
		return nil, err
	}
	text := strings.TrimRight(string(plain), "\x00")
	if !strings.HasSuffix(text, "\x02") {
		return nil, errors.New("no delimiter of the last record")
	}
	return []byte(text[:len(text)-1]), nil
}
