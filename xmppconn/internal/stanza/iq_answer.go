package stanza

import "time"

// Answer is the payload of the answer to a request of another entity that every client
// answers: a ping (XEP-0199), what it can do (XEP-0030), what it is (XEP-0092) and its time
// (XEP-0202). Refusal is the condition for all others (RFC 6120, 8.2.3), and "" when there is an
// answer. ChatOnly says that the service has nothing but text between two.
func Answer(request IQ, chatOnly bool) (payload []byte, refusal string) {
	if request.Type != "get" {
		return nil, serviceUnavailable
	}
	var err error
	switch {
	case isPing(request.Payload):
	case isDiscoInfo(request.Payload):
		node := request.Payload.Attr("node")
		switch {
		case chatOnly:
			payload, err = encodeDiscoInfoResult(node, chatFeatures)
		case isOurNode(node):
			payload, err = encodeDiscoInfoResult(node, ourFeatures)
		default:
			return nil, "item-not-found"
		}
	case request.Payload.Is(nsVersion, "query"):
		payload, err = encodeVersion()
	case isTime(request.Payload):
		payload = encodeTime(time.Now())
	default:
		return nil, serviceUnavailable
	}
	if err != nil {
		return nil, serviceUnavailable
	}
	return payload, ""
}

const serviceUnavailable = "service-unavailable"
