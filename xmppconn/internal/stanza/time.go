package stanza

import (
	"strings"
	"time"

	"github.com/perch-im/perch"
)

// parseTime reads a moment as XEP-0082 writes it, and as programs write it that nearly do:
// the CCYYMMDDThh:mm:ss of XEP-0091, a date or time without separators, an offset without a
// colon or without minutes, a space in place of the T, an hour of one digit, a comma before the
// fraction, no seconds. Without an offset it is UTC, and a date alone is its midnight. It is 0 when the
// text is no time, or none that can be meant.
func parseTime(s string) perch.Time {
	c := timeText{rest: strings.TrimSpace(s)}
	year, month, day := c.date()
	var hour, minute, second, nano, offset int
	if !c.failed && c.rest != "" {
		c.separator()
		hour, minute, second = c.clock()
		nano = c.fraction()
		offset = c.offset()
	}
	if c.failed || c.rest != "" || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0
	}
	// 24:00:00 is the end of a day, and :60 a leap second: time.Date takes both.
	if hour > 24 || hour == 24 && minute+second+nano > 0 || minute > 59 || second > 60 {
		return 0
	}
	return plausible(time.Date(year, time.Month(month), day, hour, minute, second, nano, time.UTC).Add(-time.Duration(offset) * time.Second))
}

// timeText is what is left to read of a time. Once something does not fit it has failed, and
// what the other methods return means nothing.
type timeText struct {
	rest   string
	failed bool
}

// digits reads exactly n digits.
func (c *timeText) digits(n int) (value int) {
	if len(c.rest) < n {
		c.failed = true
		return 0
	}
	for i := range n {
		d := c.rest[i]
		if d < '0' || d > '9' {
			c.failed = true
			return 0
		}
		value = 10*value + int(d-'0')
	}
	c.rest = c.rest[n:]
	return value
}

// skip reads one of the characters in set, if one comes next.
func (c *timeText) skip(set string) bool {
	if c.rest == "" || strings.IndexByte(set, c.rest[0]) < 0 {
		return false
	}
	c.rest = c.rest[1:]
	return true
}

func (c *timeText) date() (year, month, day int) {
	year = c.digits(4)
	extended := c.skip("-")
	month = c.digits(2)
	if extended && !c.skip("-") {
		c.failed = true
	}
	return year, month, c.digits(2)
}

// separator is a T or white space between date and time, or nothing before a digit.
func (c *timeText) separator() {
	trimmed := strings.TrimLeft(c.rest, " \t\r\n")
	if len(trimmed) == len(c.rest) && !c.skip("Tt") && (c.rest[0] < '0' || c.rest[0] > '9') {
		c.failed = true
	}
	c.rest = strings.TrimLeft(c.rest, " \t\r\n")
}

func (c *timeText) clock() (hour, minute, second int) {
	n := 2
	if len(c.rest) > 1 && c.rest[1] == ':' {
		n = 1
	}
	hour = c.digits(n)
	extended := c.skip(":")
	minute = c.digits(2)
	if extended && c.skip(":") || !extended && c.rest != "" && c.rest[0] >= '0' && c.rest[0] <= '9' {
		second = c.digits(2)
	}
	return hour, minute, second
}

// fraction reads the digits after a decimal sign, in nanoseconds. More than nine are not
// finer than a clock.
func (c *timeText) fraction() (nano int) {
	if !c.skip(".,") {
		return 0
	}
	n := 0
	for ; c.rest != "" && c.rest[0] >= '0' && c.rest[0] <= '9'; n++ {
		if n < 9 {
			nano = 10*nano + int(c.rest[0]-'0')
		}
		c.rest = c.rest[1:]
	}
	if n == 0 {
		c.failed = true
	}
	for ; n < 9; n++ {
		nano *= 10
	}
	return nano
}

// offset reads Z, UTC, GMT or the distance from UTC in seconds. Nothing is UTC.
func (c *timeText) offset() int {
	c.rest = strings.TrimLeft(c.rest, " ")
	switch strings.ToUpper(c.rest) {
	case "", "Z", "UTC", "GMT":
		c.rest = ""
		return 0
	}
	sign := 1
	if c.skip("-") {
		sign = -1
	} else if !c.skip("+") {
		c.failed = true
		return 0
	}
	hours, minutes := c.digits(2), 0
	if c.skip(":") || c.rest != "" {
		minutes = c.digits(2)
	}
	if hours > 23 || minutes > 59 {
		c.failed = true
	}
	return sign * (3600*hours + 60*minutes)
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// plausible leaves out times that can only be a mistake: there was no instant messaging before
// 1990, and a year has four digits.
func plausible(t time.Time) perch.Time {
	if y := t.UTC().Year(); y < 1990 || y > 9999 {
		return 0
	}
	return perch.At(t)
}

func formatTime(t perch.Time) string { return t.String() }
