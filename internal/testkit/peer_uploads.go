package testkit

import "encoding/base64"

// Upload has the peer's own library upload a file to a service (XEP-0363), and returns the address of the file.
func (p *Peer) Upload(t TB, service, name, mediaType string, data []byte) string {
	t.Helper()
	return p.Do(t, "upload", map[string]any{
		"service": service, "name": name, "type": mediaType, "data": base64.StdEncoding.EncodeToString(data),
	}).Body
}
