package cache

import (
	"errors"
	"fmt"

	"github.com/perch-im/perch/sessions"
)

// readerRowVersion is that of the rows of readers that are written, see roomRowVersion.
const readerRowVersion = 1

// readerRow is a row of the hash of readers, by sessions.StoredReader.Key.
type readerRow struct {
	Version int `json:"v"`
	*sessions.StoredReader
}

func newReaderRow(r *sessions.StoredReader) any { return readerRow{readerRowVersion, r} }

// decodeReaders reads the hash. A row of a later version is refused: whoever left it out would bring
// nothing to its reader, and nobody would know.
func decodeReaders(reply any) ([]*sessions.StoredReader, error) {
	fields, rows := pairs(reply)
	if len(fields) == 0 {
		return nil, nil
	}
	list := make([]*sessions.StoredReader, len(fields))
	for i, field := range fields {
		row, err := decode[readerRow](rows[i])
		switch {
		case err != nil:
			return nil, err
		case row.Version != readerRowVersion:
			return nil, corrupt(fmt.Errorf("a reader of version %d, and this program knows %d", row.Version, readerRowVersion))
		case row.StoredReader == nil || row.Key() != field:
			return nil, corrupt(errors.New("the row of another reader"))
		}
		list[i] = row.StoredReader
	}
	return list, nil
}
