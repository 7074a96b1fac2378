package app

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Labels are what an operator calls a node, or an upstream: region=eu, tier=gold. They change nothing; the
// admin API, its page and the metrics perch_node_info and perch_upstream_info show them.
type Labels map[string]string

// What labels may be. A key is one that a metric may have.
const (
	maxLabels     = 16
	maxLabelValue = 128 // bytes
)

var labelRule = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// Set adds a label that is written as key=value.
func (l *Labels) Set(text string) error {
	key, value, ok := strings.Cut(text, "=")
	if !ok {
		return fmt.Errorf("label %q is not KEY=VALUE, such as region=eu", text)
	}
	if _, twice := (*l)[key]; twice {
		return fmt.Errorf("label %q is given twice", key)
	}
	if *l == nil {
		*l = Labels{}
	}
	(*l)[key] = value
	return nil
}

// check refuses what could not be shown, and more than is bounded.
func (l Labels) check() error {
	if len(l) > maxLabels {
		return fmt.Errorf("%d labels are too many: there may be %d", len(l), maxLabels)
	}
	for key, value := range l {
		switch {
		case !labelRule.MatchString(key):
			return fmt.Errorf("label %q: the key must be 1 to 32 of a-z 0-9 _ and begin with a letter", key)
		case value == "" || len(value) > maxLabelValue || !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
			return fmt.Errorf("label %q: the value must be 1 to %d bytes of text", key, maxLabelValue)
		}
	}
	return nil
}
