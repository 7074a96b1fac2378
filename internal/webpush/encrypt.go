package webpush

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Sizes of a message (RFC 8188, 2.1; RFC 8291, 4).
const (
	saltSize   = 16
	pointSize  = 65 // of P-256, uncompressed
	headSize   = saltSize + 4 + 1 + pointSize
	tagSize    = 16
	recordSize = 4096 // of the whole message, which push services must take
	// MaxPlain is how long the plain text of a message may be: one byte more is the delimiter.
	MaxPlain = recordSize - headSize - tagSize - 1
	// padStep hides how long a text is from the push service.
	padStep = 256
)

// encrypt makes the body of a message that the subscription alone can read, with the content encoding
// aes128gcm (RFC 8291, 3). plain has at most MaxPlain bytes.
func encrypt(plain []byte, to subscription) ([]byte, error) {
	own, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("webpush: %w", err)
	}
	salt := make([]byte, saltSize)
	rand.Read(salt)
	return seal(plain, padded(len(plain)), to, own, salt)
}

// padded is how long n bytes are with their padding.
func padded(n int) int { return min((n/padStep+1)*padStep, MaxPlain) }

// seal is encrypt with a key for this message alone, its salt, and a length that the text is padded to.
func seal(plain []byte, length int, to subscription, own *ecdh.PrivateKey, salt []byte) ([]byte, error) {
	aead, nonce, err := derive(to, own, salt)
	if err != nil {
		return nil, fmt.Errorf("webpush: %w", err)
	}
	body := make([]byte, 0, headSize+length+1+tagSize)
	body = append(body, salt...)
	body = binary.BigEndian.AppendUint32(body, recordSize)
	body = append(body, pointSize)
	body = append(body, own.PublicKey().Bytes()...)
	record := make([]byte, length+1)
	copy(record, plain)
	record[len(plain)] = 2 // the delimiter of the last record; padding is zeros (RFC 8188, 2)
	return aead.Seal(body, nonce, record, nil), nil
}

// derive makes the key and the nonce of the one record of a message (RFC 8291, 3.4).
func derive(to subscription, own *ecdh.PrivateKey, salt []byte) (aead cipher.AEAD, nonce []byte, err error) {
	shared, err := own.ECDH(to.key)
	if err != nil {
		return nil, nil, err
	}
	info := "WebPush: info\x00" + string(to.key.Bytes()) + string(own.PublicKey().Bytes())
	input, err := hkdf.Key(sha256.New, shared, to.auth, info, sha256.Size)
	if err != nil {
		return nil, nil, err
	}
	key, err := hkdf.Key(sha256.New, input, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, nil, err
	}
	if nonce, err = hkdf.Key(sha256.New, input, salt, "Content-Encoding: nonce\x00", 12); err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, err
	}
	aead, err = cipher.NewGCM(block)
	return aead, nonce, err
}
