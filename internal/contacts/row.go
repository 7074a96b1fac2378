package contacts

import (
	"errors"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/packed"
)

// AppendRow encodes a contact for a Store. The key of its JID is not in the row, and neither is the nickname: few have
// one, which has a place of its own.
func AppendRow(dst []byte, c *Contact) []byte { return appendBody(dst, c, c.Key(), nil) }

var errRow = errors.New("contacts: this is no row of a contact, or one of a later version")

// ParseRow reads what AppendRow wrote; key is the JID where the row does not say another spelling.
// The texts of the contact are parts of the row.
func ParseRow(key perch.JID, row string) (*Contact, error) {
	r := packed.Read(row)
	first, second := r.Octet(), r.Octet()
	if first&rowVersions != rowVersion {
		return nil, errRow
	}
	c := &Contact{Buddy: perch.Buddy{JID: key}}
	if second&spelled != 0 {
		c.Buddy.JID = perch.JID(r.Text())
	}
	var m maker
	m.decodeBody(&r, c, first, second, nil)
	if r.Bad() || len(r.Rest()) > 0 {
		return nil, errRow
	}
	return c, nil
}

// IsRow reports whether AppendRow of this version may have written it.
func IsRow(s string) bool { return s != "" && s[0]&rowVersions == rowVersion }
