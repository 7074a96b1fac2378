package conversations

import (
	"errors"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/packed"
)

// AppendRow encodes a state for a Store. The key of its JID is not in the row.
func AppendRow(dst []byte, s *State) []byte {
	return appendBody(append(dst, rowVersion), s, s.Key())
}

var errRow = errors.New("conversations: this is no row of a conversation, or one of a later version")

// ParseRow reads what AppendRow wrote; key is the JID where the row does not say another spelling.
func ParseRow(key perch.JID, row string) (State, error) {
	r := packed.Read(row)
	if r.Octet() != rowVersion {
		return State{}, errRow
	}
	s := decodeBody(&r, key)
	if r.Bad() || len(r.Rest()) > 0 {
		return State{}, errRow
	}
	return s, nil
}
