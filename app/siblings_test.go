package app_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/testkit"
)

// jwt signs a token as ejabberd expects it: HS256, the account in the claim jid.
func jwt(t *testing.T, jid string, life time.Duration) string {
	t.Helper()
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("json.Marshal: got error %v, want none", err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := part(map[string]string{"alg": "HS256", "typ": "JWT"}) + "." + part(map[string]any{"jid": jid, "exp": time.Now().Add(life).Unix()})
	mac := hmac.New(sha256.New, []byte(testkit.JWTKey))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// TestResourceOfAnUpstream: what the configuration names is the resource of a session that names none.
func TestResourceOfAnUpstream(t *testing.T) {
	s := testkit.SharedProsody(t)
	upstream := app.Upstream{Name: "real", Domain: testkit.ProsodySCRAM256, Address: s.Addr, CAFile: s.CAFile, Resource: "gateway"}
	a := start(t, upstream)
	u := s.NewUserAt(t, "alice", testkit.ProsodySCRAM256)
	for named, want := range map[string]string{"": "gateway", "phone": "phone"} {
		body := map[string]string{"jid": u.JID, "password": u.Password}
		if named != "" {
			body["resource"] = named
		}
		token := testkit.NewGateway(t, a.URL(), "").Call(t, http.StatusCreated, http.MethodPost, "/v1/session", body).JSON(t).Str("token")
		if got := testkit.NewGateway(t, a.URL(), token).Get(t, "/v1/session").Str("resource"); got != want {
			t.Errorf("a session that names %q: got the resource %q, want %q", named, got, want)
		}
	}
}

// TestJWTAsPasswordOnEjabberd signs in where a JSON Web Token is the password of PLAIN:
// given as a token to an upstream that says so, or as a password; never an expired one, or
// one of another user.
func TestJWTAsPasswordOnEjabberd(t *testing.T) {
	s := testkit.SharedEjabberd(t)
	upstream := app.Upstream{Name: "real", Domain: testkit.EjabberdJWT, Address: s.Addr, CAFile: s.CAFile, TokenMechanism: "PLAIN"}
	a := start(t, upstream)
	signIn := func(status int, body map[string]string) testkit.Answer {
		return testkit.NewGateway(t, a.URL(), "").Call(t, status, http.MethodPost, "/v1/session", body)
	}
	jid := "jwtuser@" + testkit.EjabberdJWT
	for _, field := range []string{"token", "password"} {
		answer := signIn(http.StatusCreated, map[string]string{"jid": jid, field: jwt(t, jid, time.Hour)}).JSON(t)
		g := testkit.NewGateway(t, a.URL(), answer.Str("token"))
		g.Get(t, "/v1/buddies")
		if got := g.Get(t, "/v1/session"); got.Str("jid") != jid || got.Str("state") != "online" {
			t.Errorf("by %s: session %v, want jid %v and state %q", field, got, jid, "online")
		}
		g.Call(t, http.StatusNoContent, http.MethodDelete, "/v1/session", nil)
	}
	for name, token := range map[string]string{"expired": jwt(t, jid, -time.Hour), "of another": jwt(t, "eve@"+testkit.EjabberdJWT, time.Hour), "no token": "abcd"} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, signIn(http.StatusUnauthorized, map[string]string{"jid": jid, "token": token}), "unauthorized")
		})
	}
}
