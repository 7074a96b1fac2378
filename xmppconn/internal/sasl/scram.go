package sasl

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
	"mellium.im/sasl"
)

// The server chooses the number of rounds and we do the work: RFC 7677 asks for at least
// 4096, and above the second figure a server could keep our processors busy at will.
const (
	minRounds = 4096
	maxRounds = 1_000_000
)

var errServerNotProven = errors.New("sasl: the server did not prove that it knows the password")

// scram is SCRAM without channel binding (RFC 5802, RFC 7677), after mellium.im/sasl.
type scram struct {
	n       *sasl.Negotiator
	answers int
	proven  bool
}

func newScramSHA1(c Credentials) Mechanism   { return newScram(sasl.ScramSha1, c) }
func newScramSHA256(c Credentials) Mechanism { return newScram(sasl.ScramSha256, c) }

func newScram(m sasl.Mechanism, c Credentials) Mechanism {
	return &scram{n: sasl.NewClient(m, sasl.Credentials(func() (user, password, identity []byte) {
		return []byte(c.User), []byte(saslPrep(c.Password)), nil
	}))}
}

func (m *scram) Start() (string, error) {
	_, text, err := m.n.Step(nil)
	return encode64(string(text)), err
}

// Next answers the server's salt with the proof, and its signature, should that come as a
// challenge, with an empty response.
func (m *scram) Next(challenge string) (string, error) {
	data, err := decode64(challenge)
	if err != nil {
		return "", err
	}
	if m.answers++; m.answers > 2 {
		return "", errUnexpectedChallenge
	}
	if m.answers == 2 {
		if err := m.verify(data); err != nil {
			return "", err
		}
		return "", nil
	}
	if err := checkRounds(data); err != nil {
		return "", err
	}
	_, text, err := m.n.Step(data)
	return encode64(string(text)), err
}

// Finish insists on the server's signature: without it any server could report success.
func (m *scram) Finish(text string) error {
	if m.proven {
		return nil
	}
	data, err := decode64(text)
	if err != nil {
		return err
	}
	if m.answers != 1 {
		return errServerNotProven
	}
	return m.verify(data)
}

func (m *scram) verify(data []byte) error {
	if _, _, err := m.n.Step(data); err != nil {
		return errors.Join(errServerNotProven, err)
	}
	m.proven = true
	return nil
}

// checkRounds looks at the i attribute of the server's first message.
func checkRounds(data []byte) error {
	for field := range bytes.SplitSeq(data, []byte{','}) {
		if text, ok := bytes.CutPrefix(field, []byte("i=")); ok {
			if n, err := strconv.Atoi(string(text)); err != nil || n < minRounds || n > maxRounds {
				return errors.New("sasl: the server asks for an unreasonable number of rounds")
			}
			return nil
		}
	}
	return errors.New("sasl: the server names no number of rounds")
}

// saslPrep normalises a password (RFC 4013) as far as it matters to the eye: compatibility
// forms, foreign spaces, and characters that cannot be seen.
func saslPrep(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == 0xAD, r == 0x34F, r == 0x1806, r >= 0x180B && r <= 0x180D, r >= 0x200B && r <= 0x200D,
			r == 0x2060, r >= 0xFE00 && r <= 0xFE0F, r == 0xFEFF:
			return -1
		case r == 0xA0, r == 0x1680, r >= 0x2000 && r <= 0x200A, r == 0x202F, r == 0x205F, r == 0x3000:
			return ' '
		}
		return r
	}, s)
	return norm.NFKC.String(s)
}
