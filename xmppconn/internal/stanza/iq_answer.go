package stanza

// Answer is the payload of the answer to a request of another entity that every client
// answers: a ping (XEP-0199), what it can do (XEP-0030) and what it is (XEP-0092). Ok is false
// for all other requests, which are refused (RFC 6120, 8.2.3).
func Answer(request IQ) (payload []byte, ok bool) {
	if request.Type != "get" {
		return nil, false
	}
	var err error
	switch {
	case isPing(request.Payload):
	case isDiscoInfo(request.Payload):
		payload, err = encodeDiscoInfoResult(request.Payload.Attr("node"))
	case request.Payload.Is(nsVersion, "query"):
		payload, err = encodeVersion()
	default:
		return nil, false
	}
	return payload, err == nil
}
