package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/today"
)

// startDemo starts a gateway with the embedded services of a name.
func startDemo(t *testing.T, name string) (*app.App, error) {
	t.Helper()
	a, err := app.New(app.Options{Listen: "127.0.0.1:0", AdminListen: "off", UpstreamOptions: app.UpstreamOptions{Demo: name}, Logger: canary.Logger()})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Errorf("a.Stop: got error %v, want none", err)
		}
	})
	return a, a.Start()
}

// TestDemo: each name runs its services, whose published tokens lead to them, and the start says so.
func TestDemo(t *testing.T) {
	for name, tokens := range map[string]map[string]string{
		"":          {"demo-alice": "messenger", "today-ada": "today"},
		"messenger": {"demo-alice": "messenger", "today-ada": ""},
		"today":     {"today-ada": "today", "today-ben": "today", "today-cleo": "today", "demo-alice": ""},
		"both":      {"demo-alice": "messenger", "demo-bob": "messenger", "today-ada": "today"},
	} {
		t.Run("demo="+name, func(t *testing.T) {
			a, err := startDemo(t, name)
			if err != nil {
				t.Fatalf("start: got error %v, want none", err)
			}
			var banner bytes.Buffer
			if err := app.Welcome(&banner, a); err != nil {
				t.Fatalf("app.Welcome: got error %v, want none", err)
			}
			for token, want := range tokens {
				if got, status := upstreamOf(t, a, token, ""); got != want || want == "" && status != http.StatusUnauthorized {
					t.Errorf("%s: got %q with %d, want a session at %q, or 401", token, got, status, want)
				}
				if shown := strings.Contains(banner.String(), "  "+token+" "); shown != (want != "") {
					t.Errorf("%s is in what is printed: %v, want %v:\n%s", token, shown, want != "", &banner)
				}
			}
		})
	}
}

// TestDemoByPassword: the accounts of today sign in with a JID and a password, too, whichever upstream is the default.
func TestDemoByPassword(t *testing.T) {
	a, err := startDemo(t, "both")
	if err != nil {
		t.Fatalf("start: got error %v, want none", err)
	}
	body := strings.NewReader(`{"jid":"ada@perch.localhost","password":"ada"}`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.URL()+"/v1/session", body)
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("http.DefaultClient.Do: got error %v, want none", err)
	}
	defer res.Body.Close()
	var got struct {
		Session struct {
			JID, Upstream string
			Features      []string
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		t.Fatalf("the answer: got error %v, want JSON", err)
	}
	if res.StatusCode != http.StatusCreated || got.Session.JID != "ada@perch.localhost" || got.Session.Upstream != "today" {
		t.Errorf("got %d %+v, want 201 and ada at today", res.StatusCode, got)
	}
	if features := strings.Join(got.Session.Features, " "); !strings.Contains(features, "rooms") || !strings.Contains(features, "message-react") {
		t.Errorf("got the features %s, want rooms and message-react among them", features)
	}
}

// TestDemoRooms: a session of today is in the lounge and the town hall at once, with what was said there before, as its
// bookmarks say; a client that asks for that finds it the same.
func TestDemoRooms(t *testing.T) {
	a, err := startDemo(t, "today")
	if err != nil {
		t.Fatalf("start: got error %v, want none", err)
	}
	ada, ben := testkit.NewGateway(t, a.URL(), today.DemoTokenPrefix+"ada"), testkit.NewGateway(t, a.URL(), today.DemoTokenPrefix+"ben")
	ada.Get(t, "/v1/session")
	ben.Call(t, http.StatusCreated, http.MethodPost, "/v1/session", map[string]string{"rooms": "autojoin"})
	for nick, api := range map[string]*testkit.Gateway{"Ada": ada, "Ben": ben} {
		testkit.Eventually(t, 30*time.Second, func() error { return inDemoRooms(t, api, nick) })
		talk := "/v1/conversations/" + testkit.Escape("lounge@rooms.perch.localhost") + "/messages?limit=50"
		testkit.Eventually(t, 10*time.Second, func() error {
			if m := api.Get(t, talk).Find("items", "body", "Me, with a new keyboard."); m == nil {
				return errors.New("the lounge is silent, want what was said there before")
			}
			return nil
		})
	}
}

// inDemoRooms is an error while a session is not in both rooms.
func inDemoRooms(t *testing.T, api *testkit.Gateway, nick string) error {
	rooms := api.Get(t, "/v1/rooms")
	for _, local := range []string{"lounge", "town-hall"} {
		r := rooms.Find("items", "jid", local+"@rooms.perch.localhost")
		if r == nil || r.Str("state") != "joined" || r.Str("nick") != nick || !r.Bool("bookmark.autojoin") {
			return fmt.Errorf("%s is %v, want it joined as %s, by its bookmark", local, r, nick)
		}
	}
	return nil
}

func TestDemoIsRefusedByName(t *testing.T) {
	for name, want := range map[string]string{"off": "--upstream is missing", "tomorrow": "none of messenger, today, both, off"} {
		if _, err := startDemo(t, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("--demo=%s: got error %v, want one that says %q", name, err, want)
		}
	}
	if err := app.CheckConfig(app.Options{UpstreamOptions: app.UpstreamOptions{Demo: "off"}, Upstreams: []app.Upstream{{Domain: "a.test"}}}); err != nil {
		t.Errorf("off beside an upstream: got error %v, want none", err)
	}
}
