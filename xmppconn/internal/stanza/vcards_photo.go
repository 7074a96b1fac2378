package stanza

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// parsePhotos chooses among all that the PHOTO elements of a card offer, in this order:
//
//  1. the first bytes of a known type, from BINVAL or a data: URI;
//  2. the first http or https address (EXTVAL);
//  3. the hash and size of the first BINVAL of another type: its bytes are left out, so that
//     they are never served, but presences refer to them (XEP-0153).
//
// The claimed TYPE is not believed. It is nil when there is nothing of these.
func parsePhotos(photos []*xmlstream.Element) *perch.Photo {
	var address, unknown *perch.Photo
	for _, el := range photos {
		for _, source := range photoSources(el) {
			data, link := readPhoto(source.Text())
			switch {
			case link != "":
				if address == nil {
					address = &perch.Photo{URL: strings.Clone(link)}
				}
			case len(data) == 0:
			case sniffPhoto(data) != "":
				p := hashedPhoto(data)
				p.Type, p.Data = sniffPhoto(data), data
				return p
			case unknown == nil && source.Local() == "BINVAL":
				unknown = hashedPhoto(data)
			}
		}
	}
	if address != nil {
		return address
	}
	return unknown
}

// photoSources are the elements of a PHOTO whose text may be a picture or its address. Some
// clients write it right into the PHOTO.
func photoSources(el *xmlstream.Element) (sources []*xmlstream.Element) {
	if len(el.Children()) == 0 {
		return []*xmlstream.Element{el}
	}
	for _, c := range el.Children() {
		if c.Is(nsVCard, "BINVAL") || c.Is(nsVCard, "EXTVAL") {
			sources = append(sources, c)
		}
	}
	return sources
}

func hashedPhoto(data []byte) *perch.Photo {
	sum := sha1.Sum(data)
	return &perch.Photo{Hash: hex.EncodeToString(sum[:]), Size: len(data)}
}

// readPhoto reads one text: bytes in base64 or in a data: URI (RFC 2397), or the address of a
// picture. Other addresses, such as cid:, give nothing.
func readPhoto(text string) (data []byte, link string) {
	text = strings.TrimSpace(text)
	scheme, rest, ok := strings.Cut(text, ":")
	if !ok {
		return decodeBase64(text), ""
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			return nil, text
		}
	case "data":
		head, body, ok := strings.Cut(rest, ",")
		if !ok {
			return nil, ""
		}
		if i := strings.LastIndexByte(head, ';'); i >= 0 && strings.EqualFold(strings.TrimSpace(head[i+1:]), "base64") {
			if strings.IndexByte(body, '%') >= 0 {
				body, _ = url.PathUnescape(body)
			}
			return decodeBase64(body), ""
		}
		if plain, err := url.PathUnescape(body); err == nil {
			return []byte(plain), ""
		}
	}
	return nil, ""
}

// decodeBase64 reads base64 as people send it: broken into lines, with or without padding, in
// either alphabet. It is nil when it is none.
func decodeBase64(s string) []byte {
	s = strings.TrimRight(strings.Join(strings.Fields(s), ""), "=")
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(s, "-_") {
		encoding = base64.RawURLEncoding
	}
	data, err := encoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return data
}

// sniffPhoto tells the type from the first bytes: only what every browser shows as a
// picture and as nothing else.
func sniffPhoto(data []byte) string {
	s := string(data[:min(len(data), 16)])
	switch {
	case strings.HasPrefix(s, "\x89PNG\r\n\x1a\n"):
		return "image/png"
	case strings.HasPrefix(s, "\xff\xd8\xff"):
		return "image/jpeg"
	case strings.HasPrefix(s, "GIF87a"), strings.HasPrefix(s, "GIF89a"):
		return "image/gif"
	case len(s) >= 12 && s[:4] == "RIFF" && s[8:12] == "WEBP":
		return "image/webp"
	}
	return ""
}
