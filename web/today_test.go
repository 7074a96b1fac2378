package web_test

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/today"
)

// todayEnv starts the embedded service of today with ann and ben, who are contacts, and is how a script of a
// client that knows nothing of Perch finds it.
func todayEnv(t *testing.T) []string {
	t.Helper()
	account := func(local string, contacts ...today.Contact) today.Account {
		return today.Account{Local: local, Password: canary.Mark + local, Contacts: contacts}
	}
	s, err := today.New(today.Options{Accounts: []today.Account{account("ann", today.Contact{Local: "ben"}), account("ben")}, Logger: canary.Logger()})
	if err != nil {
		t.Fatalf("today.New: got error %v, want none", err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatalf("Start: got error %v, want none", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Errorf("Stop: got error %v, want none", err)
		}
	})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, s.CAPEM(), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	accounts, err := json.Marshal(map[string]map[string]string{
		"ann": {"username": "ann", "password": canary.Mark + "ann", "jid": "ann@" + s.Domain()},
		"ben": {"username": "ben", "password": canary.Mark + "ben", "jid": "ben@" + s.Domain()},
	})
	if err != nil {
		t.Fatalf("json.Marshal: got error %v, want none", err)
	}
	_, port, err := net.SplitHostPort(s.HTTPAddr().String())
	if err != nil {
		t.Fatalf("net.SplitHostPort: got error %v, want none", err)
	}
	return []string{
		"PERCH_ACCOUNTS=" + string(accounts), "PERCH_XMPP=" + s.Addr().String(), "PERCH_DOMAIN=" + s.Domain(), "PERCH_ROOMS=rooms." + s.Domain(),
		"PERCH_WEBSOCKET=ws://localhost:" + port + "/xmpp-websocket", "NODE_EXTRA_CA_CERTS=" + ca,
	}
}

func TestTodayByXmppClient(t *testing.T) { node(t, "today_xmpp.mjs", todayEnv(t)...) }

func TestTodayByStanza(t *testing.T) { node(t, "today_stanza.mjs", todayEnv(t)...) }

func TestTodayByConverse(t *testing.T) {
	node(t, "today_converse.mjs", append(todayEnv(t), chromium(t), pictures(t))...)
}
