package web_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// said is what each program on a generated client prints. The one on the events alone has no refusal, and
// no answer to look at.
const said = `state online
buddies Bob Echo Oscar Wanda
refused 404 item-not-found
added 200 Echo
message 202 with a status
received You said: hello
`

const saidOfEvents = `state online
buddies Bob Echo Oscar Wanda
received You said: hello
`

// TestGeneratedClients: what openapi-typescript with openapi-fetch, orval, oapi-codegen, ogen and modelina make
// of the descriptions compiles, and a program on each can talk to the gateway. That of ogen holds every answer
// against the description, too.
func TestGeneratedClients(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "make", "-C", "..", "generators").CombinedOutput(); err != nil {
		t.Fatalf("make generators: got error %v, want none\n%s", err, out)
	}
	runtime := needs(t, "node", "apt-get install nodejs")
	g := newGateway(t)
	for name, want := range map[string]string{
		"openapi-fetch.mjs": said, "orval.mjs": said, "oapi-codegen": said, "ogen": said, "modelina.mjs": saidOfEvents,
	} {
		program := filepath.Join("../bin/generators/programs", name)
		args := []string{program}
		if filepath.Ext(name) == ".mjs" {
			args = []string{runtime, program}
		}
		limited, done := context.WithTimeout(ctx, time.Minute)
		cmd := exec.CommandContext(limited, args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "PERCH_URL=http://"+g.addr, "PERCH_TOKEN=demo-alice")
		if got, err := cmd.CombinedOutput(); err != nil || string(got) != want {
			t.Errorf("%s: got error %v and\n%s\nwant none and\n%s", name, err, got, want)
		}
		done()
	}
}
