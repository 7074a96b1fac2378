package contacts

import (
	"errors"

	"github.com/perch-im/perch"
)

// AppendRow encodes a contact for a Store. The key of its JID is not in the row.
func AppendRow(dst []byte, c *Contact) []byte { return appendBody(dst, c, c.Key(), nil) }

var errRow = errors.New("contacts: this is no row of a contact, or one of a later version")

// ParseRow reads what AppendRow wrote; key is the JID where the row does not say another spelling.
// The texts of the contact are parts of the row.
func ParseRow(key perch.JID, row string) (*Contact, error) {
	r := reader{s: row}
	first, second := r.octet(), r.octet()
	if first&rowVersions != rowVersion {
		return nil, errRow
	}
	c := &Contact{Buddy: perch.Buddy{JID: key}}
	if second&spelled != 0 {
		c.Buddy.JID = perch.JID(r.text())
	}
	var m maker
	m.decodeBody(&r, c, first, second, nil)
	if r.bad || len(r.s) > 0 {
		return nil, errRow
	}
	return c, nil
}

// IsRow reports whether AppendRow of this version may have written it.
func IsRow(s string) bool { return s != "" && s[0]&rowVersions == rowVersion }
