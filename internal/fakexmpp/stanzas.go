package fakexmpp

import (
	"context"
	"strings"

	"github.com/perch-im/perch"
)

// StanzaData is the part of Data about stanzas that clients write.
type StanzaData struct {
	Stanzas []string // that were sent
	// ListensStanzas is what ListenStanzas was given last.
	ListensStanzas bool
	// Answer answers each; nil: an iq is answered with <iq/>.
	Answer func(xml string) (string, error)
}

// ListenStanzas implements sessions.StanzaConn.
func (c *Conn) ListenStanzas(on bool) {
	c.server.Edit(func(d *Data) { d.ListensStanzas = on })
}

// SendStanza implements sessions.StanzaConn: it judges nothing. Presence to="JID" is asked for.
func (c *Conn) SendStanza(ctx context.Context, xml string, mayEnter func(to perch.JID) error, maySend func() error) (answer string, err error) {
	if c.login.Capabilities.ChatOnly {
		return "", perch.Errorf(perch.KindFeatureUnsupported, "no stanzas of clients")
	}
	if rest, ok := strings.CutPrefix(xml, "<presence to='"); ok {
		to, _, _ := strings.Cut(rest, "'")
		if err := mayEnter(perch.JID(to)); err != nil {
			return "", err
		}
	}
	answers := strings.HasPrefix(xml, "<iq type='result'") || strings.HasPrefix(xml, "<iq type='error'")
	if !answers {
		if err := maySend(); err != nil {
			return "", err
		}
	}
	err = c.ask(ctx, "SendStanza", func(d *Data) (err error) {
		d.Stanzas = append(d.Stanzas, xml)
		if d.Answer != nil {
			answer, err = d.Answer(xml)
		} else if strings.HasPrefix(xml, "<iq") && !answers {
			answer = "<iq/>"
		}
		return err
	})
	return answer, err
}
