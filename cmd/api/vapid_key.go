package main

import (
	"fmt"
	"io"

	"github.com/perch-im/perch/app"
)

// vapidKeyCommand is `perch vapid-key`.
type vapidKeyCommand struct{}

// Help is what --help says below the summary.
func (vapidKeyCommand) Help() string {
	return `The first line is the private key, for a file that PERCH_PUSH_VAPID_KEY_FILE names: perch vapid-key | head -n 1 > vapid-key. The second one is the public half, which clients get from the gateway (application_server_key) and need not be told.`
}

// Run prints a new key.
func (vapidKeyCommand) Run(stdout io.Writer) error {
	private, public, err := app.NewVAPIDKey()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s\npublic %s\n", private.Reveal(), public)
	return err
}
