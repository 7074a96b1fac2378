package sasl

import (
	"errors"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"
	"github.com/xdg-go/stringprep"
)

// The server chooses the number of rounds and we do the work: RFC 7677 asks for at least
// 4096, and above the second figure a server could keep our processors busy at will.
const (
	minRounds = 4096
	maxRounds = 1_000_000
)

var errServerNotProven = errors.New("sasl: the server did not prove that it knows the password")

// scramMechanism is SCRAM (RFC 5802, RFC 7677), after github.com/xdg-go/scram.
type scramMechanism struct {
	conversation *scram.ClientConversation
	answers      int
	proven       bool
}

// newSCRAM is SCRAM with a hash. With plus it is bound to the TLS connection; without, it says
// whether that is because the server has no -PLUS form, so that a server that has one notices who
// took it out of its list (RFC 5802, 6).
func newSCRAM(h scram.HashGeneratorFcn, plus bool) func(Credentials) Mechanism {
	return func(c Credentials) Mechanism {
		client, _ := h.NewClientUnprepped(c.User, prepared(c.Password), "") // without preparation nothing can fail
		client.WithMinIterations(minRounds)
		m := &scramMechanism{}
		switch {
		case plus:
			m.conversation = client.NewConversationWithChannelBinding(c.Binding)
		case c.NoPlus:
			m.conversation = client.NewConversationAdvertisingChannelBinding()
		default:
			m.conversation = client.NewConversation()
		}
		return m
	}
}

func (m *scramMechanism) Start() (string, error) {
	text, err := m.conversation.Step("")
	return encode64(text), err
}

// Next answers the server's salt with the proof, and its signature, should that come as a
// challenge, with an empty response.
func (m *scramMechanism) Next(challenge string) (string, error) {
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
	if err := checkRounds(string(data)); err != nil {
		return "", err
	}
	text, err := m.conversation.Step(string(data))
	return encode64(text), err
}

// Finish insists on the server's signature: without it any server could report success.
func (m *scramMechanism) Finish(text string) error {
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

func (m *scramMechanism) verify(data []byte) error {
	if _, err := m.conversation.Step(string(data)); err != nil {
		return errors.Join(errServerNotProven, err)
	}
	m.proven = m.conversation.Valid()
	return nil
}

// checkRounds looks at the i attribute of the server's first message before the library does the
// work.
func checkRounds(first string) error {
	for field := range strings.SplitSeq(first, ",") {
		if text, ok := strings.CutPrefix(field, "i="); ok {
			if n, err := strconv.Atoi(text); err != nil || n < minRounds || n > maxRounds {
				return errors.New("sasl: the server asks for an unreasonable number of rounds")
			}
			return nil
		}
	}
	return errors.New("sasl: the server names no number of rounds")
}

// prepared is the form of a password that SCRAM computes with (RFC 5802, 2.2; RFC 4013). A password
// that the profile has no form for, such as one with an emoji, is used as it was typed, as servers do.
func prepared(password string) string {
	if p, err := stringprep.SASLprep.Prepare(password); err == nil {
		return p
	}
	return password
}
