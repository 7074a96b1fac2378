package xmppconn

// ourFeatures is what we answer about ourselves, sorted (XEP-0030, 3.1).
var ourFeatures = []string{nsChatStates, nsDiscoInfo, nsNick, nsDelay, nsPing, nsReceipts}

// encodeDiscoInfo is the payload of a get. Node may be empty.
func encodeDiscoInfo(node string) ([]byte, error) {
	var w writer
	w.raw("<query xmlns='" + nsDiscoInfo + "'")
	w.attr("/node", "node", node)
	w.raw("/>")
	return w.result()
}

// isDiscoInfo reports whether a request asks what we can do. The node to repeat in the answer
// is payload.attr("node").
func isDiscoInfo(payload *element) bool { return payload.is(nsDiscoInfo, "query") }

// encodeDiscoInfoResult is our answer.
func encodeDiscoInfoResult(node string) ([]byte, error) {
	var w writer
	w.raw("<query xmlns='" + nsDiscoInfo + "'")
	w.attr("/node", "node", node)
	w.raw("><identity category='client' type='web' name='Perch'/>")
	for _, f := range ourFeatures {
		w.raw("<feature var='" + f + "'/>")
	}
	w.raw("</query>")
	return w.result()
}

// parseDiscoInfo reads the features of an answer.
func parseDiscoInfo(payload *element) (features map[string]bool) {
	features = map[string]bool{}
	if !isDiscoInfo(payload) {
		return features
	}
	for _, c := range payload.children {
		if v := c.attr("var"); v != "" && c.is(nsDiscoInfo, "feature") {
			features[keep(v)] = true
		}
	}
	return features
}
