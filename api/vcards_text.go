package api

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/perch-im/perch"
)

// vcardText writes a card as text/vcard (RFC 6350, version 4.0).
func vcardText(c perch.VCard) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			foldLine(&b, name+":"+value)
		}
	}
	full := c.FullName
	for _, s := range []string{c.Nickname, string(c.JID)} { // FN is required and must not be empty
		if full == "" {
			full = s
		}
	}
	line("BEGIN", "VCARD")
	line("VERSION", "4.0")
	line("FN", escapeText(full))
	if c.FamilyName != "" || c.GivenName != "" {
		line("N", escapeText(c.FamilyName)+";"+escapeText(c.GivenName)+";;;")
	}
	line("NICKNAME", escapeText(c.Nickname))
	for _, s := range c.Emails {
		line("EMAIL", escapeText(s))
	}
	for _, s := range c.Phones {
		line("TEL;VALUE=text", escapeText(s))
	}
	line("ORG", escapeText(c.Organization))
	line("TITLE", escapeText(c.Title))
	line("BDAY;VALUE=text", escapeText(c.Birthday))
	line("URL", uriValue(c.URL))
	line("NOTE", escapeText(c.Description))
	if c.JID != "" {
		line("IMPP", "xmpp:"+uriValue(string(c.JID)))
	}
	line("PHOTO", photoValue(c.Photo))
	line("END", "VCARD")
	return b.String()
}

// photoValue embeds a picture of an allowed type, or refers to it.
func photoValue(p *perch.Photo) string {
	switch {
	case p == nil:
		return ""
	case len(p.Data) > 0:
		typ, err := sniffPhoto(p.Data)
		if err != nil {
			return ""
		}
		return "data:" + typ + ";base64," + base64.StdEncoding.EncodeToString(p.Data)
	}
	return uriValue(p.URL)
}

// escapeText follows RFC 6350, 3.4. Line breaks of any kind become \n: a real
// one would begin a property of the sender's choice.
func escapeText(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\r\n", `\n`, "\r", `\n`, "\n", `\n`, ",", `\,`, ";", `\;`).Replace(s)
}

// uriValue keeps only characters of a URI: it is not escaped, so nothing in it may end the line.
func uriValue(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7F {
			return -1
		}
		return r
	}, s)
}

// foldLine ends a line, folded at 75 octets (RFC 6350, 3.2), never inside a character.
func foldLine(b *strings.Builder, s string) {
	for room := 75; len(s) > room; room = 74 {
		n := room
		for n > 1 && !utf8.RuneStart(s[n]) {
			n--
		}
		b.WriteString(s[:n])
		b.WriteString("\r\n ")
		s = s[n:]
	}
	b.WriteString(s)
	b.WriteString("\r\n")
}
