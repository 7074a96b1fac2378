package stanza

import "github.com/perch-im/perch/xmppconn/internal/xmlstream"

// searchFields are what archives call the field of their form for words that a message must have, the
// one to be preferred first: XEP-0431, ejabberd, MongooseIM, M-Link. Openfire knows them by several.
var searchFields = []string{"{urn:xmpp:fulltext:0}fulltext", "withtext", "full-text-search", "search"}

// EncodeArchiveForm is the payload of a get that asks an archive by which fields it can be asked
// (XEP-0313, 4.1).
func EncodeArchiveForm() []byte { return []byte("<query xmlns='" + nsMAM + "'/>") }

// ParseArchiveForm finds in the answer the field by which the archive is searched for a text; "": it has
// none that is known. Payload may be nil. The cause of the error is perch.ErrAnswerTooLarge.
func ParseArchiveForm(payload *xmlstream.Element) (string, error) {
	if !payload.Is(nsMAM, "query") {
		return "", nil
	}
	f, err := parseForm(payload.Child(nsForms, "x"))
	if err != nil {
		return "", err
	}
	for _, name := range searchFields {
		if f.field(name) != nil {
			return name, nil
		}
	}
	return "", nil
}
