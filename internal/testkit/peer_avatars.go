package testkit

import "encoding/base64"

// SetAvatar publishes a picture as the peer's avatar (XEP-0084).
func (p *Peer) SetAvatar(t TB, data []byte) {
	t.Helper()
	p.Do(t, "avatar_set", map[string]any{"data": base64.StdEncoding.EncodeToString(data)})
}

// Avatar fetches what an account has published as its avatar (XEP-0084), and the photo of its card (XEP-0054).
func (p *Peer) Avatar(t TB, jid string) (avatar, photo []byte) {
	t.Helper()
	items := p.Do(t, "avatar_get", map[string]any{"jid": jid}).Items
	if len(items) != 2 {
		t.Fatalf("got %+v of %s, want an avatar and a photo", items, jid)
	}
	avatar, _ = base64.StdEncoding.DecodeString(items[0].Body)
	photo, _ = base64.StdEncoding.DecodeString(items[1].Body)
	return avatar, photo
}
