package testkit

import (
	_ "embed" // for the script
	"os/exec"
)

//go:embed nbxmpp/client.py
var nbxmppScript []byte

// NbxmppFor starts a client of nbxmpp, the library of Gajim, for an account of a test server, and waits
// until it is signed in and available. It gives every message as an event "stanza", and none as "message". It is in
// private storage, in PEP and in rooms what Gajim is; see the methods in peer_rooms.go. It ends with the
// test.
func (s *Server) NbxmppFor(t TB, u User) *Peer {
	t.Helper()
	if err := exec.Command(python, "-c", "import nbxmpp").Run(); err != nil {
		t.Fatalf("testkit: %s has no nbxmpp: apt-get install python3-nbxmpp", python)
	}
	p := signInPeer(t, "nbxmpp", nbxmppScript, SlixmppOptions{Addr: s.Addr, CAFile: s.CAFile, JID: u.JID, Password: u.Password})
	p.Presence(t, "", "") // ejabberd 24 may tell of PEP by way of it, to those alone whom it has seen
	p.ExpectPresence(t, u.JID, "available", "")
	return p
}
