package stanza

// AppendClientState tells the server whether a client is active (XEP-0352).
func AppendClientState(b []byte, active bool) []byte {
	if active {
		return append(b, "<active xmlns='"+nsCSI+"'/>"...)
	}
	return append(b, "<inactive xmlns='"+nsCSI+"'/>"...)
}
