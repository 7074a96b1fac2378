package web_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// chromium is the browser of the tests; Debian's package has it.
func chromium(t *testing.T) string {
	return "CHROMIUM=" + needs(t, "chromium", "apt-get install chromium")
}

// pictures is where the stories leave screenshots, for people to look at: the folder that PERCH_PICTURES names,
// such as web/pictures, which is not kept. Without it there are none: several hundred of them take minutes.
func pictures(t *testing.T) string {
	dir := os.Getenv("PERCH_PICTURES")
	if dir == "" {
		return "PERCH_PICTURES="
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatalf("filepath.Abs: got error %v, want none", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatalf("os.MkdirAll: got error %v, want none", err)
	}
	return "PERCH_PICTURES=" + dir
}

// TestConsole plays whole stories in a real browser, all on one stage: there is one login for
// each account, whatever happens.
func TestConsole(t *testing.T) {
	node(t, "console.mjs", append(newStage(t).env(), chromium(t), pictures(t))...)
}

// TestConsoleOfTheDemo is what a newcomer sees who runs the one command.
func TestConsoleOfTheDemo(t *testing.T) {
	g := newGateway(t)
	node(t, "demo.mjs", "PERCH_URL=http://"+g.addr, chromium(t), pictures(t))
}

// TestConsoleOfToday is what a newcomer sees of rooms, edits, reactions, files and read positions within the first
// minute after the one command.
func TestConsoleOfToday(t *testing.T) {
	began := time.Now()
	g := newGateway(t)
	node(t, "demo_today.mjs", "PERCH_URL=http://"+g.addr, "PERCH_BEGAN="+strconv.FormatInt(began.UnixMilli(), 10), chromium(t), pictures(t))
}

// TestConsoleStates looks at eight states in four widths, light and dark.
func TestConsoleStates(t *testing.T) {
	node(t, "console_states.mjs", chromium(t), pictures(t))
}

// TestConsoleChanges is about what changes under a page that is open.
func TestConsoleChanges(t *testing.T) {
	node(t, "console_changes.mjs", chromium(t))
}

// TestConsoleTexts is about what texts of people become.
func TestConsoleTexts(t *testing.T) {
	node(t, "console_texts.mjs", chromium(t))
}

// TestConsoleByKeyboard does everything without a pointer.
func TestConsoleByKeyboard(t *testing.T) {
	node(t, "console_keyboard.mjs", chromium(t))
}

// TestConsoleWithMuch has 300 buddies and 5,000 messages.
func TestConsoleWithMuch(t *testing.T) {
	node(t, "console_long.mjs", chromium(t))
}

// TestConsoleOverARestart keeps a page open while the gateway and its embedded service start again.
func TestConsoleOverARestart(t *testing.T) {
	node(t, "console_restart.mjs", append(stageFor(t).env(), chromium(t))...)
}

// TestConsoleOnARealServer has none of the demo's words, and what a real server can do.
func TestConsoleOnARealServer(t *testing.T) {
	server := testkit.Prosody(t, testkit.ProsodyOptions{})
	second := strings.Replace(upstreamOf(server), "name=real", "name=second", 1)
	s := stageFor(t, "--upstream", upstreamOf(server), "--upstream", second)
	node(t, "console_real.mjs", append(s.env(), twoAccounts(t, server), chromium(t))...)
}

// TestChats plays what people do in chats today, on a gateway that stands in: the embedded service
// has messages alone.
func TestChats(t *testing.T) {
	node(t, "chats.mjs", chromium(t), pictures(t))
}

// TestPushWorker plays push messages in a real browser, on a gateway that stands in.
func TestPushWorker(t *testing.T) {
	node(t, "push_worker.mjs", chromium(t))
}

// TestPushInTheBrowser follows a message from the gateway to a notification.
func TestPushInTheBrowser(t *testing.T) {
	node(t, "push_gateway.mjs", append(newStage(t, pushed...).env(), chromium(t))...)
}

// TestUploadsInTheConsole plays files in a real browser, on a gateway and an upload service that stand in.
func TestUploadsInTheConsole(t *testing.T) {
	node(t, "uploads_console.mjs", chromium(t), pictures(t))
}

// TestDevicesInTheConsole plays the tokens of several devices in a real browser.
func TestDevicesInTheConsole(t *testing.T) {
	node(t, "devices.mjs", append(newStage(t).env(), chromium(t), pictures(t))...)
}

// TestWebhooksInTheConsole plays webhooks in a real browser, with a server of the user.
func TestWebhooksInTheConsole(t *testing.T) {
	node(t, "webhooks.mjs", append(newStage(t, "--webhook-allow", "127.0.0.0/8").env(), chromium(t), pictures(t))...)
}

// TestPushInTheConsole plays push messages in a real browser, by a push service of the test.
func TestPushInTheConsole(t *testing.T) {
	node(t, "push_console.mjs", append(newStage(t, pushed...).env(), chromium(t), pictures(t))...)
}
