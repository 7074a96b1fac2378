package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// needle is a text that must not be found.
type needle struct {
	text string
	what string // what it is, without saying it
}

// forms are the ways in which a secret may stand in a text and be as good as itself.
func forms(secret, name string) []needle {
	list := []needle{
		{secret, name},
		{strings.ToLower(secret), name + " in lower case"},
		{strings.ToUpper(secret), name + " in upper case"},
	}
	add := func(form, text string) { list = append(list, needle{text, name + " as " + form}) }
	add("percent-encoding", url.QueryEscape(secret))
	add("percent-encoding", url.PathEscape(secret))
	add("hex", hex.EncodeToString([]byte(secret)))
	add("hex", strings.ToUpper(hex.EncodeToString([]byte(secret))))
	for _, form := range []struct{ name, format, between string }{
		{"percent-encoding", "%%%02x", ""}, {"percent-encoding", "%%%02X", ""},
		{"escaped octets", `\x%02x`, ""}, {"escaped characters", `\u%04x`, ""},
		{"numbers", "%d", " "}, {"numbers", "%d", ","}, {"hex with blanks", "%02x", " "},
	} {
		parts := make([]string, len(secret))
		for i := range len(secret) {
			parts[i] = fmt.Sprintf(form.format, secret[i])
		}
		add(form.name, strings.Join(parts, form.between))
	}
	for before := range 3 {
		add("base64", inBase64(base64.StdEncoding, secret, before))
		add("base64url", inBase64(base64.URLEncoding, secret, before))
	}
	return list
}

// inBase64 is the part of an encoding that depends on the secret alone, when some octets
// stand before it. What comes before or after it does not matter then.
func inBase64(e *base64.Encoding, secret string, before int) string {
	text := e.EncodeToString([]byte(strings.Repeat("\x00", before) + secret))
	return text[(8*before+5)/6 : 8*(before+len(secret))/6]
}

// pattern finds secrets that no test can mark, by the form in which the programs make them.
type pattern struct {
	re     *regexp.Regexp
	random bool // what is found must look like chance: names of metrics begin alike
	what   string
}

var patterns = func() []pattern {
	list := []pattern{
		{regexp.MustCompile(`perch_[A-Za-z0-9_-]{16}`), true, "a Perch token"},
		{regexp.MustCompile(`(?i)70657263685f[0-9a-f]{32}`), false, "a Perch token as hex"},
		{regexp.MustCompile(`EwBw(?:[A-Za-z0-9+/]|%2[BbFf]){64}`), false, "a token of the Messenger service"},
		{regexp.MustCompile(`[?&]ticket=[A-Za-z0-9_-]{43}`), false, "a ticket"},
	}
	for before := range 3 {
		begin := inBase64(base64.StdEncoding, "perch_", before)
		list = append(list, pattern{regexp.MustCompile(begin + `[A-Za-z0-9+/_-]{20}`), true, "a Perch token as base64"})
	}
	return list
}()

// in reports whether the pattern is in a line.
func (p pattern) in(line []byte) bool {
	for _, found := range p.re.FindAll(line, -1) {
		if !p.random || bytes.ContainsAny(found, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			return true
		}
	}
	return false
}
