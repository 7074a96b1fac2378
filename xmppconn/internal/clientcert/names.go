package clientcert

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
)

var (
	subjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}              // RFC 5280, 4.2.1.6
	xmppAddr       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5} // RFC 6120, 13.7.1.4
)

// maxNames are read of a certificate.
const maxNames = 64

// otherName is one of the names of a subject, by its kind.
type otherName struct {
	ID    asn1.ObjectIdentifier
	Value asn1.RawValue `asn1:"tag:0"`
}

var errNames = errors.New("its subjectAltName is not as RFC 5280 has it")

// addresses are the XMPP addresses that a certificate names.
func addresses(c *x509.Certificate) (found []string, err error) {
	for _, e := range c.Extensions {
		if e.Id.Equal(subjectAltName) {
			return addressesIn(e.Value)
		}
	}
	return nil, nil
}

// addressesIn reads the value of a subjectAltName.
func addressesIn(value []byte) (found []string, err error) {
	var names asn1.RawValue
	if rest, err := asn1.Unmarshal(value, &names); err != nil || len(rest) > 0 || names.Tag != asn1.TagSequence || !names.IsCompound {
		return nil, errNames
	}
	for n, rest := 0, names.Bytes; len(rest) > 0; n++ {
		var name asn1.RawValue
		if rest, err = asn1.Unmarshal(rest, &name); err != nil || n >= maxNames {
			return nil, errNames
		}
		if name.Class != asn1.ClassContextSpecific || name.Tag != 0 {
			continue
		}
		var other otherName
		if left, err := asn1.UnmarshalWithParams(name.FullBytes, &other, "tag:0"); err != nil || len(left) > 0 {
			return nil, errNames
		}
		if !other.ID.Equal(xmppAddr) {
			continue
		}
		var text string
		if left, err := asn1.UnmarshalWithParams(other.Value.Bytes, &text, "utf8"); err != nil || len(left) > 0 {
			return nil, errNames
		}
		found = append(found, text)
	}
	return found, nil
}
