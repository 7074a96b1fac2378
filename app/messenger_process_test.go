package app_test

import (
	"bufio"
	"context"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/testkit"
)

// messengerAlone builds the program and runs its command messenger in a process of its
// own, with the demo's accounts. It gives what it printed.
func messengerAlone(t *testing.T, caFile string) (printed string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "perch")
	if out, err := exec.Command("go", "build", "-o", binary, "github.com/perch-im/perch/cmd/api").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s, want no error", err, out)
	}
	cmd := exec.Command(binary, "messenger", "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--ca-out", caFile, "--idle-timeout", "2m")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("cmd.StdoutPipe: got error %v, want none", err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("cmd.Start: got error %v, want none", err)
	}
	var text strings.Builder
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Stop with") {
		text.WriteString(lines.Text() + "\n")
	}
	t.Cleanup(func() {
		killed := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		defer killed.Stop()
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("perch messenger: got error %v, want none", err)
		}
	})
	return text.String()
}

func printedAs(t *testing.T, text, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in what it printed:\n%s, want one", pattern, text)
	}
	return m[1]
}

// TestM04ServiceOfItsOwn lets a client that knows nothing of Perch sign in to the service
// in its own process, with nothing but what that has printed, and talk to a user of a
// gateway in front of it, whose token comes from the consent page.
func TestM04ServiceOfItsOwn(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	printed := messengerAlone(t, ca)
	addr := printedAs(t, printed, `address +(\S+)`)
	domain := printedAs(t, printed, `domain +(\S+)`)
	w := &world{peer: testkit.Slixmpp(t, testkit.SlixmppOptions{
		Addr: addr, CAFile: ca, JID: "_@" + domain, Token: "demo-bob", Mechanism: "X-MESSENGER-OAUTH2",
	})}
	w.alice.JID, w.bob.JID = printedAs(t, printed, `demo-alice +(\S+)`), printedAs(t, printed, `demo-bob +(\S+)`)
	w.peer.Presence(t, "", "")

	page := printedAs(t, printed, `(http://\S+)`)
	fragment := newBrowser(t).consent(t, page, "alice").EscapedFragment()
	w.app = start(t, app.Upstream{Name: "messenger", Domain: domain, Address: addr, CAFile: ca, Profile: app.ProfileMessenger})
	w.api = testkit.NewGateway(t, w.app.URL(), printedAs(t, fragment, `access_token=([^&]+)`))
	stream := live(t, w.api, "")
	w.peer.ExpectPresence(t, w.alice.JID, "available", "")
	w.peer.Presence(t, "away", "déjà parti")
	stream.Expect(t, "bob away", w.presence(true, "away"))
	for _, body := range bodies {
		w.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": w.bob.JID, "body": body})
		w.peer.ExpectMessage(t, w.alice.JID, body)
		w.peer.Message(t, w.alice.JID, body)
		stream.Expect(t, "message", message("message.received", body))
	}
	w.testChatStates(t, stream)
	if card := w.api.Get(t, "/v1/vcards/"+testkit.Escape(w.bob.JID)); card.Str("full_name") != "Bob Baker" {
		t.Errorf("bob's card %v, want full_name %q", card, "Bob Baker")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := w.app.Stop(ctx); err != nil {
		t.Errorf("app.Stop: got error %v, want none", err)
	}
	w.peer.ExpectPresence(t, w.alice.JID, "unavailable", "")
}
