// Package webpush brings events of a session to push subscriptions (RFC 8030): of browsers, and of the
// distributors of UnifiedPush, which are the same. It encrypts messages for the subscription alone
// (RFC 8291), signs for the gateway (VAPID, RFC 8292), and has the key for that.
//
// The encryption is here, and not from a library: the one for Go that is in use
// (github.com/SherClockHolmes/webpush-go 1.4) computes with the deprecated part of crypto/elliptic, does
// not look at what a client gives as a key, writes "mailto:" before a contact that begins with it, and
// brings a library of JWT along. With crypto/ecdh and crypto/hkdf it is a page of code, which the vectors
// of the RFC and a decoder from elsewhere are held against.
package webpush
