package perch

import (
	"fmt"
	"time"
)

// Time is a moment in milliseconds since 1970, UTC. It is written to JSON as RFC 3339
// with milliseconds, and as null when it is zero. It is small on purpose: a session
// keeps several for each buddy.
type Time int64

const timeLayout = "2006-01-02T15:04:05.000Z"

// At converts a time.Time; the zero time becomes 0.
func At(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixMilli())
}

// Time converts back; 0 becomes the zero time.
func (t Time) Time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(t)).UTC()
}

// IsZero reports whether the time is not known.
func (t Time) IsZero() bool { return t == 0 }

func (t Time) String() string {
	if t == 0 {
		return ""
	}
	return t.Time().Format(timeLayout)
}

// MarshalJSON writes RFC 3339 or null.
func (t Time) MarshalJSON() ([]byte, error) {
	return t.AppendJSON(make([]byte, 0, 28)), nil
}

// UnmarshalJSON reads RFC 3339 of any precision, or null.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*t = 0
		return nil
	}
	v, err := time.Parse(`"`+time.RFC3339Nano+`"`, string(b))
	if err != nil {
		return fmt.Errorf("time: %w", err)
	}
	*t = At(v)
	return nil
}
