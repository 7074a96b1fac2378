package xmppconn

// appendCSI tells the server whether anybody is looking (XEP-0352).
func appendCSI(b []byte, active bool) []byte {
	if active {
		return append(b, "<active xmlns='"+nsCSI+"'/>"...)
	}
	return append(b, "<inactive xmlns='"+nsCSI+"'/>"...)
}
