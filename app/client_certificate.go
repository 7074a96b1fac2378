package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/perch-im/perch/xmppconn"
)

// maxClientFile bounds the files of a client certificate.
const maxClientFile = 64 << 10

// checkClient refuses settings of a client certificate that cannot belong together.
func (u Upstream) checkClient() error {
	given := 0
	for _, file := range []string{u.ClientCert, u.ClientKey, u.ClientTokenFile} {
		if file != "" {
			given++
		}
	}
	switch {
	case given == 0:
		return nil
	case given < 3:
		return errors.New("client-cert, client-key and client-token-file go together: give all three or none")
	case u.Profile == ProfileMessenger:
		return errors.New("the profile messenger has no logins by certificate (client-cert)")
	case u.TokenMechanism != "":
		return errors.New("client-cert and token-mechanism do not go together: a token of this upstream would be one or the other; give the account with the certificate an upstream of its own")
	}
	return nil
}

// clientCertificate reads the certificate of an upstream, with the token that belongs to it; nil: it has none.
// What is in its files goes into read, too.
func (u Upstream) clientCertificate(read io.Writer) (*xmppconn.ClientCertificate, error) {
	if u.ClientCert == "" {
		return nil, nil //nolint:nilnil // there mostly is none
	}
	var content [3][]byte
	for i, f := range []struct{ setting, file string }{
		{"client-cert", u.ClientCert}, {"client-key", u.ClientKey}, {"client-token-file", u.ClientTokenFile},
	} {
		b, err := readAtMost(f.file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.setting, err)
		}
		fmt.Fprintf(read, "%d:%s", len(b), b)
		content[i] = b
	}
	token := strings.TrimSuffix(strings.TrimSuffix(string(content[2]), "\n"), "\r")
	return xmppconn.ParseClientCertificate(content[0], content[1], token, u.Domain)
}

func readAtMost(name string) ([]byte, error) {
	f, err := os.Open(name) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxClientFile+1))
	if err == nil && len(b) > maxClientFile {
		err = fmt.Errorf("%s has more than %d bytes", name, maxClientFile)
	}
	return b, err
}

// checkClientCertificate looks at that of an upstream.
func checkClientCertificate(u Upstream) Finding {
	f := Finding{Name: "upstream " + u.Name, Result: FindingOK}
	c, err := u.clientCertificate(io.Discard)
	if err != nil {
		f.Result, f.Detail, f.Advice = FindingFailed, err.Error(), "see docs/operations.md, Client certificates"
		return f
	}
	f.Detail = "client certificate of " + string(c.JID) + ", valid until " + c.Expires().UTC().Format(time.DateOnly)
	switch left := time.Until(c.Expires()); {
	case left <= 0:
		f.Result, f.Advice = FindingFailed, "renew it: the account cannot sign in"
	case left < expirySoon:
		f.Result, f.Advice = FindingWarning, adviceOfClient
	}
	return f
}

// checkClientFiles looks at who can read what opens the account of an upstream.
func checkClientFiles(u Upstream) (found []Finding) {
	for _, file := range []string{u.ClientKey, u.ClientTokenFile} {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0 {
			found = append(found, Finding{
				Name: "upstream " + u.Name, Result: FindingWarning, Detail: "every user of this host can read " + file,
				Advice: "let the user whom Perch runs as read it alone: chmod 0600, or 0640 with its group",
			})
		}
	}
	return found
}

const adviceOfClient = "renew it, and reload (SIGHUP)"
