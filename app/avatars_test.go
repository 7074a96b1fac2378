package app_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// pictureOf is a PNG of its own.
func pictureOf(t *testing.T, side int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
		t.Fatalf("png.Encode: got error %v, want none", err)
	}
	return b.Bytes()
}

// TestAvatars: an avatar that a foreign client publishes (XEP-0084) is there with one request, another one with
// the next, and what is set here is read there, as an avatar and in the card.
func TestAvatars(t *testing.T) {
	for _, l := range roomLogins() {
		t.Run(l.name, func(t *testing.T) {
			w := newWorld(t, l, l.server(t))
			stream := live(t, w.api, "")
			w.befriend(t, stream)
			path := "/v1/vcards/" + testkit.Escape(w.bob.JID) + "/photo"
			first, second, own := pictureOf(t, 5), pictureOf(t, 6), pictureOf(t, 7)

			w.peer.SetAvatar(t, first)
			if a := w.api.Call(t, http.StatusOK, http.MethodGet, path, nil); !bytes.Equal(a.Body, first) {
				t.Errorf("got %d bytes, want the first avatar of %d", len(a.Body), len(first))
			}
			w.peer.SetAvatar(t, second)
			if a := w.api.Call(t, http.StatusOK, http.MethodGet, path+"?refresh=1", nil); !bytes.Equal(a.Body, second) {
				t.Errorf("got %d bytes, want the second avatar of %d", len(a.Body), len(second))
			}

			wants := func(want []byte) {
				t.Helper()
				testkit.Eventually(t, 10*time.Second, func() error {
					avatar, photo := w.peer.Avatar(t, w.alice.JID)
					if !bytes.Equal(avatar, want) || !bytes.Equal(photo, want) {
						return fmt.Errorf("got an avatar of %d bytes and a photo of %d, want both of %d", len(avatar), len(photo), len(want))
					}
					return nil
				})
			}
			w.api.Call(t, http.StatusNoContent, http.MethodPut, "/v1/vcards/me/photo", map[string]string{"data": base64.StdEncoding.EncodeToString(own)})
			wants(own)
			if a := w.api.Call(t, http.StatusOK, http.MethodGet, "/v1/vcards/me/photo", nil); !bytes.Equal(a.Body, own) {
				t.Errorf("got %d bytes, want the own picture of %d", len(a.Body), len(own))
			}
			w.api.Call(t, http.StatusNoContent, http.MethodDelete, "/v1/vcards/me/photo", nil)
			wants(nil)
			wantProblem(t, w.api.Call(t, http.StatusNotFound, http.MethodGet, "/v1/vcards/me/photo", nil), "item-not-found")
		})
	}
}
