package xmppconn

import (
	"strings"
	"time"

	"github.com/perch-im/perch"
)

// delayOf reads XEP-0203, or its forerunner XEP-0091. Anybody can write it: it is for
// display only, and a moment in the future is no delay.
func delayOf(el *element, now perch.Time) *perch.Delay {
	for _, c := range el.children {
		var stamp perch.Time
		switch {
		case c.is(nsDelay, "delay"):
			stamp = parseTime(c.attr("stamp"))
		case c.is(nsDelayOld, "x"):
			stamp = parseOldTime(c.attr("stamp"))
		}
		if stamp == 0 || now != 0 && stamp > now {
			continue
		}
		return &perch.Delay{Stamp: stamp, From: keep(c.attr("from"))}
	}
	return nil
}

// parseTime reads XEP-0082. It is 0 when the text is no such time.
func parseTime(s string) perch.Time {
	t, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(s))
	if err != nil {
		return 0
	}
	return sane(t)
}

// parseOldTime reads the CCYYMMDDThh:mm:ss of XEP-0091, which is UTC.
func parseOldTime(s string) perch.Time {
	t, err := time.Parse("20060102T15:04:05", strings.TrimSpace(s))
	if err != nil {
		return 0
	}
	return sane(t)
}

// sane leaves out times that can only be a mistake: there was no instant messaging before
// 1990, and a year has four digits.
func sane(t time.Time) perch.Time {
	if y := t.UTC().Year(); y < 1990 || y > 9999 {
		return 0
	}
	return perch.At(t)
}

func formatTime(t perch.Time) string { return t.String() }
