package sasl_test

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"hash"
	"strings"
	"testing"

	"github.com/perch-im/perch/xmppconn/internal/sasl"
	mellium "mellium.im/sasl"
)

// scramServer is mellium's side of SCRAM with a password of ours.
func scramServer(m mellium.Mechanism, h func() hash.Hash, password string, rounds int) *mellium.Negotiator {
	salt := []byte("0123456789abcdef")
	return mellium.NewServer(m, func(*mellium.Negotiator) bool { return true },
		mellium.SaltedCredentials(func(user, _ []byte, _ string) ([]byte, []byte, int64, error) {
			if string(user) != "alice" {
				return nil, nil, 0, mellium.ErrAuthn
			}
			key, err := pbkdf2.Key(h, password, salt, rounds, h().Size())
			return salt, key, int64(rounds), err
		}))
}

// scramRun is one authentication by SCRAM up to the last text of the server.
func scramRun(t testing.TB, name string, server mellium.Mechanism, h func() hash.Hash, password string, rounds int) (m sasl.Mechanism, final string, err error) {
	s := scramServer(server, h, "secret", rounds)
	m = mechanism(t, name, sasl.Credentials{User: "alice", Password: password})
	text, err := m.Start()
	for err == nil {
		var more bool
		var answer []byte
		if more, answer, err = s.Step(decode(t, text)); err != nil {
			break
		}
		if !more {
			return m, b64(string(answer)), nil
		}
		text, err = m.Next(b64(string(answer)))
	}
	return m, "", err
}

func TestSCRAM(t *testing.T) {
	for _, tt := range []struct {
		name   string
		server mellium.Mechanism
		hash   func() hash.Hash
	}{
		{"SCRAM-SHA-1", mellium.ScramSha1, sha1.New}, {"SCRAM-SHA-256", mellium.ScramSha256, sha256.New},
	} {
		run := func(t *testing.T) (sasl.Mechanism, string) {
			t.Helper()
			m, final, err := scramRun(t, tt.name, tt.server, tt.hash, "secret", 4096)
			if err != nil {
				t.Fatalf("authenticating: got error %v, want none", err)
			}
			return m, final
		}
		t.Run(tt.name+"/signature in success", func(t *testing.T) {
			m, final := run(t)
			if err := m.Finish(final); err != nil {
				t.Errorf("Finish() = %v, want nil", err)
			}
		})
		t.Run(tt.name+"/signature as a challenge", func(t *testing.T) {
			m, final := run(t)
			if text, err := m.Next(final); text != "" || err != nil {
				t.Errorf("Next() = %q, %v; want an empty text", text, err)
			}
			if err := m.Finish(""); err != nil {
				t.Errorf("Finish() = %v, want nil", err)
			}
		})
		t.Run(tt.name+"/no signature", func(t *testing.T) {
			m, _ := run(t)
			if err := m.Finish(""); !errors.Is(err, sasl.ErrServerNotProven) {
				t.Errorf("Finish() = %v, want %v", err, sasl.ErrServerNotProven)
			}
		})
		t.Run(tt.name+"/wrong signature", func(t *testing.T) {
			m, final := run(t)
			if err := m.Finish(strings.ToLower(final)); err == nil {
				t.Error("Finish() = nil, want an error")
			}
		})
		t.Run(tt.name+"/wrong password", func(t *testing.T) {
			if _, _, err := scramRun(t, tt.name, tt.server, tt.hash, "wrong", 4096); err == nil {
				t.Error("authenticating: got no error, want one")
			}
		})
		t.Run(tt.name+"/few rounds", func(t *testing.T) {
			if _, _, err := scramRun(t, tt.name, tt.server, tt.hash, "secret", 100); err == nil {
				t.Error("100 rounds: got no error, want one")
			}
		})
	}
}

func TestSCRAMFirstMessage(t *testing.T) {
	m := mechanism(t, "SCRAM-SHA-1", sasl.Credentials{User: "a,b=c", Password: "b"})
	text, err := m.Start()
	if first := string(decode(t, text)); !strings.HasPrefix(first, "n,,n=a=2Cb=3Dc,r=") || err != nil {
		t.Errorf("Start() = %q, %v; want n,,n=a=2Cb=3Dc,r=...", first, err)
	}
	if err := m.Finish(""); err == nil {
		t.Error("Finish() before any step = nil, want an error")
	}
}

// TestSCRAMRoundsEdge: the server may ask for 4096 to a million rounds.
func TestSCRAMRoundsEdge(t *testing.T) {
	for attr, ok := range map[string]bool{
		",i=1000000": true, ",i=1000001": false, ",i=4096": true, ",i=4095": false, ",i=2000000000": false, "": false, ",i=x": false,
	} {
		if err := sasl.CheckRounds("r=x,s=eA==" + attr); (err == nil) != ok {
			t.Errorf("%q: got error %v, want the rounds taken: %v", attr, err, ok)
		}
	}
}
